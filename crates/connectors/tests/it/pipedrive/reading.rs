//! Pages, changes, one record, look-ups, fields.

use std::collections::BTreeSet;
use std::time::Duration;

use connectors::{Connector as _, Fault, FieldKind, Span};
use serde_json::{Value, json};

use super::{names, scene};

#[tokio::test]
async fn more_than_ten_thousand_of_one_second_are_read_whole() {
    let scene = scene();
    // All of one moment: a cursor by time alone would turn in a circle.
    for n in 0..10_100 {
        scene.double.add("organizations", &json!({"name": format!("Org {n}")})).unwrap();
    }
    let (pages, records, cursor) = scene.all("organizations", &Span::Full, &["name"]).await;
    let ids: BTreeSet<_> = records.iter().map(|record| &record.id).collect();
    assert_eq!((pages, ids.len(), records.len()), (21, 10_100, 10_100));
    scene.clock.advance(Duration::from_mins(5));
    scene.double.edit("organizations", "77", &json!({"name": "Changed"})).unwrap();
    let (_, changed, cursor) = scene.all("organizations", &Span::Since(cursor), &["name"]).await;
    assert_eq!(changed.last().map(|record| &record.fields["name"]), Some(&json!("Changed")));
    scene.clock.advance(Duration::from_mins(5));
    let (pages, changed, _) = scene.all("organizations", &Span::Since(cursor), &["name"]).await;
    assert_eq!((pages, changed.len()), (1, 1), "what was seen stays seen");
}

#[tokio::test]
async fn a_person_has_fields_of_three_places_under_one_roof() {
    let scene = scene();
    let code = scene.double.add_field("persons", "Score", "double", &[]).unwrap();
    let emails = json!([{"value": "old@x.example", "primary": false, "label": "home"}, {"value": "ann@x.example", "primary": true, "label": "work"}]);
    let id = scene.double.add("persons", &json!({"name": "Ann Lee", "emails": emails, "custom_fields": {&code: 4.5}})).unwrap();
    let record = scene.get("persons", &id, &["name", "email", "phone", &code, "job_title"]).await.unwrap();
    let expected = json!({"name": "Ann Lee", "email": "ann@x.example", "phone": null, &code: 4.5, "job_title": null});
    assert_eq!(Value::Object(record.fields), expected, "a field without a value is null, and nothing else is there");
    assert!(record.modified_at.is_some() && !record.deleted);
    let page = scene.page("persons", Span::Full, None, &["emails"]).await.unwrap();
    assert_eq!(page.records[0].fields["emails"], emails);
    assert!(!page.records[0].fields.contains_key("email"));
}

#[tokio::test]
async fn fields_are_shown_by_name_and_written_by_code() {
    let scene = scene();
    let code = scene.double.add_field("deals", "Temperature", "enum", &["cold", "hot"]).unwrap();
    let schema = scene.pipedrive.describe(&scene.session, "deals").await.unwrap();
    let field = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap();
    let own = field(&code);
    assert_eq!(
        (own.label.as_str(), own.kind, own.custom, own.options.as_slice()),
        ("Temperature", FieldKind::Choice, true, &names(&["1", "2"])[..])
    );
    assert_eq!((field("title").required, field("person_id").kind, field("value").kind), (true, FieldKind::Reference, FieldKind::Number));
    let persons = scene.pipedrive.describe(&scene.session, "persons").await.unwrap();
    let kinds: Vec<_> =
        ["email", "phone", "emails"].map(|name| persons.fields.iter().find(|field| field.name == name).unwrap().kind).into();
    assert_eq!(kinds, [FieldKind::Email, FieldKind::Phone, FieldKind::Other]);
    let leads = scene.pipedrive.describe(&scene.session, "leads").await.unwrap();
    assert!(leads.fields.iter().any(|field| field.name == "value.amount" && field.kind == FieldKind::Money));
}

#[tokio::test]
async fn many_are_read_in_one_call_and_few_one_by_one() {
    let scene = scene();
    scene.double.seed_persons(30);
    let ids: Vec<String> = (1..=20).chain([999]).map(|n: u32| n.to_string()).collect();
    let read = scene.pipedrive.get(&scene.session, "persons", &ids, &names(&["name"])).await.unwrap();
    assert_eq!((read.len(), scene.carrier.notes.count("GET")), (20, 1));
    let read = scene.pipedrive.get(&scene.session, "persons", &ids[18..], &names(&["name"])).await.unwrap();
    assert_eq!((read.len(), scene.carrier.notes.count("GET")), (2, 4));
}

#[tokio::test]
async fn what_is_gone_is_deleted_or_absent() {
    let scene = scene();
    scene.double.seed_persons(3);
    scene.double.delete("persons", "1", false).unwrap();
    scene.double.delete("persons", "2", true).unwrap();
    assert!(scene.get("persons", "1", &["name"]).await.unwrap().deleted, "for thirty days it can be seen");
    assert_eq!(scene.get("persons", "2", &["name"]).await, None);
    let (_, listed, _) = scene.all("persons", &Span::Full, &["name"]).await;
    assert_eq!(listed.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["3"]);
    let feed = scene.pipedrive.deleted(&scene.session, "persons", None, None).await;
    assert!(matches!(feed, Err(Fault::Refused { code, .. }) if code == "not_supported"));
    assert!(!scene.pipedrive.about().objects.iter().any(|object| object.delete_feed), "only a complete scan tells");
}

#[tokio::test]
async fn look_ups_are_exact_and_by_custom_fields_too() {
    let scene = scene();
    let code = scene.double.add_field("persons", "Number", "varchar", &[]).unwrap();
    let person = |name: &str, email: &str, own: &str| json!({"name": name, "emails": [{"value": email, "primary": true}], "custom_fields": {&code: own}});
    scene.double.add("persons", &person("Ann", "ann@x.example", "A-1")).unwrap();
    scene.double.add("persons", &person("Jo", "jo@x.example", "ann@x.example")).unwrap();
    let find = async |field: &str, value: &str| {
        let found = scene.pipedrive.find(&scene.session, "persons", field, &json!(value), &names(&["name"])).await.unwrap();
        found.into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    assert_eq!(find("email", "ANN@x.example").await, ["1"]);
    assert_eq!(find(&code, "a-1").await, ["1"]);
    assert_eq!(find("name", "An").await, [] as [&str; 0]);
    scene.double.edit("persons", "1", &json!({"emails": []})).unwrap();
    assert_eq!(find("email", "ann@x.example").await, [] as [&str; 0]);
    let unknown = scene.pipedrive.find(&scene.session, "persons", "owner_id", &json!(1), &[]).await;
    assert!(matches!(unknown, Err(Fault::Refused { code, .. }) if code == "not_supported"));
}

#[tokio::test]
async fn leads_of_v1_are_read_by_offset_and_none_is_left_out() {
    let scene = scene();
    let org = scene.double.add("organizations", &json!({"name": "Org"})).unwrap();
    let org: u64 = org.parse().unwrap();
    let mut made = Vec::new();
    for n in 0..1100 {
        if n % 100 == 0 {
            scene.clock.advance(Duration::from_secs(1));
        }
        made.push(
            scene
                .double
                .add("leads", &json!({"title": format!("Lead {n}"), "organization_id": org, "value": {"amount": n, "currency": "EUR"}}))
                .unwrap(),
        );
    }
    let fields = ["title", "value.amount", "value.currency"];
    let first = scene.page("leads", Span::Full, None, &fields).await.unwrap();
    // What is deleted now moves the rest forward, past the place where the next page begins.
    for id in &made[..10] {
        scene.double.delete("leads", id, true).unwrap();
    }
    let mut seen: BTreeSet<String> = first.records.iter().map(|record| record.id.clone()).collect();
    assert_eq!(first.records[3].fields["value.amount"], json!(3));
    let mut token = first.next;
    while let Some(from) = token {
        let page = scene.page("leads", Span::Full, Some(&from), &fields).await.unwrap();
        seen.extend(page.records.into_iter().map(|record| record.id));
        token = page.next;
    }
    assert_eq!(seen.len(), 1100);
}
