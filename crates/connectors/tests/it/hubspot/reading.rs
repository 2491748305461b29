use std::sync::Arc;
use std::time::Duration;

use connectors::{Connector as _, FieldKind, RemoteRecord, Span};
use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Clock as _};
use serde_json::{Value, json};
use vendors::hubspot::Options;
use vendors::stand::Vendor as _;

use super::{fields, scene, scene_with};

fn ids(records: &[RemoteRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[tokio::test]
async fn a_full_load_reads_everything_once_and_the_next_run_only_what_changed() {
    let scene = scene();
    scene.portal.seed_contacts(250);
    scene.pass(600);
    let load = scene.run(Span::Full, &["email", "jobtitle"]).await;
    assert_eq!((load.pages, load.total, load.ids().len(), load.records.len()), (3, Some(250), 250, 250));
    let first = &load.records[0];
    assert_eq!(Value::Object(first.fields.clone()), json!({"email": "contact0@example.com", "jobtitle": null}));
    assert!(first.modified_at.is_some() && !first.deleted && first.merged_into.is_none());

    scene.pass(600);
    let id = scene.contact("new@example.com");
    scene.portal.edit("contacts", &first.id, &json!({"jobtitle": "Chief"})).unwrap();
    let calls = scene.carrier.notes.count("");
    let run = scene.run(Span::Since(load.cursor), &["email", "jobtitle"]).await;
    assert_eq!((scene.carrier.notes.count("") - calls, run.pages), (1, 1), "one page, one call");
    assert!(run.ids().contains(&id.parse().unwrap()));
    let changed = run.records.iter().find(|record| record.id == first.id).unwrap();
    assert_eq!(changed.fields["jobtitle"], "Chief");
    assert!(run.records.len() <= 3, "what did not change is not read: {}", run.records.len());
}

#[tokio::test]
async fn what_changes_behind_a_load_is_in_the_next_run_whatever_the_clocks_say() {
    for skew in [-7_200_000, 0, 7_200_000] {
        let scene = scene();
        scene.portal.seed_contacts(150);
        scene.pass(60);
        // Our clock is wrong by two hours, in either direction.
        let ours = Arc::new(ManualClock::new(kernel::Timestamp::from_millis(scene.clock.now().millis() + skew)));
        let session = connectors::Session { ambient: Ambient::new(ours, Arc::new(SeededEntropy::new(1))), ..scene.session.clone() };
        let scene = super::Scene { session, ..scene };
        let first = scene.page(Span::Full, &["email"], None).await.unwrap();
        let behind = first.records[0].id.clone();
        scene.portal.edit("contacts", &behind, &json!({"city": "Rom"})).unwrap();
        scene.pass(30);
        let last = scene.page(Span::Full, &["email"], first.next.as_deref()).await.unwrap();
        scene.pass(30);
        let run = scene.run(Span::Since(last.cursor.unwrap()), &["city"]).await;
        assert!(run.records.iter().any(|record| record.id == behind && record.fields["city"] == "Rom"), "{skew}");
    }
}

/// The search's own paging ends at 10,000, and the time of change does not tell these rows apart.
#[tokio::test]
async fn more_than_ten_thousand_changes_of_one_moment_are_all_read() {
    let scene = scene();
    let cursor = scene.run(Span::Full, &[]).await.cursor;
    scene.pass(1);
    for n in 0..10_150 {
        scene.portal.add("contacts", &json!({"lastname": format!("L{n}")})).unwrap();
    }
    let run = scene.run(Span::Since(cursor), &["lastname"]).await;
    assert_eq!((run.ids().len(), run.records.len(), run.total, run.pages), (10_150, 10_150, Some(10_150), 51));
}

/// A row appears in the search half a minute after it changed, with the time at which it did.
#[tokio::test]
async fn what_the_search_shows_late_is_not_lost() {
    for (lookback, found) in [(120, true), (0, false)] {
        let scene = scene_with(json!({"lookbackSeconds": lookback}), Options::unlimited());
        scene.fault("index-lag,ms=30000");
        let cursor = scene.run(Span::Full, &[]).await.cursor;
        scene.pass(100);
        let late = scene.contact("late@example.com");
        scene.pass(5);
        scene.portal.seed_contacts(1);
        let run = scene.run(Span::Since(cursor), &["email"]).await;
        assert!(!run.ids().contains(&late.parse().unwrap()), "the search does not know of it yet");
        assert_eq!(run.records.len(), 1);
        scene.pass(60);
        let run = scene.run(Span::Since(run.cursor), &["email"]).await;
        assert_eq!(run.ids().contains(&late.parse().unwrap()), found, "lookback {lookback}");
    }
}

#[tokio::test]
async fn a_killed_run_goes_on_from_its_token_elsewhere() {
    let scene = scene();
    scene.portal.seed_contacts(450);
    let first = scene.page(Span::Full, &["email"], None).await.unwrap();
    let elsewhere = super::Scene { connector: connectors::HubSpot::new(), ..scene };
    let (mut seen, mut token) = (first.records.len(), first.next);
    while let Some(text) = token {
        let page = elsewhere.page(Span::Full, &["email"], Some(&text)).await.unwrap();
        seen += page.records.len();
        assert_eq!(page.total, Some(450));
        token = page.next;
    }
    assert_eq!(seen, 450);
}

#[tokio::test]
async fn a_token_of_another_kind_begins_anew() {
    let scene = scene();
    scene.portal.seed_contacts(150);
    let token = scene.page(Span::Full, &[], None).await.unwrap().next.unwrap();
    for (span, token) in [(Span::Since("hs1:5".into()), Some(token.as_str())), (Span::Full, Some("x")), (Span::Since("2026".into()), None)]
    {
        let fault = scene.page(span, &[], token).await.unwrap_err();
        assert_eq!(fault.code(), "vendor_cursor_stale", "{token:?}");
    }
}

#[tokio::test]
async fn a_filter_leaves_what_it_names() {
    let scene = scene();
    scene.portal.seed_contacts(900);
    let berlin = scene.run_of("contacts", Span::Full, &["city"], Some(&json!({"city": "Berlin"}))).await;
    assert_eq!((berlin.records.len(), berlin.total, berlin.pages), (225, Some(225), 2));
    assert!(berlin.records.iter().all(|record| record.fields["city"] == "Berlin"));
    let two = scene.run_of("contacts", Span::Full, &["city"], Some(&json!({"city": ["Berlin", "Wien"], "company": "Company 3"}))).await;
    assert_eq!(two.records.len(), 1);
}

#[tokio::test]
async fn more_properties_than_an_address_holds_are_read_all_the_same() {
    let scene = scene();
    let names: Vec<String> = (0..600).map(|n| format!("a_property_with_a_long_name_{n:04}")).collect();
    for name in &names {
        scene.portal.add_property("contacts", &format!("{name} string")).unwrap();
    }
    for n in 0..120 {
        scene.portal.add("contacts", &json!({"email": format!("c{n}@example.com"), names[599].as_str(): format!("v{n}")})).unwrap();
    }
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let load = scene.run(Span::Full, &asked).await;
    assert_eq!((load.records.len(), load.pages), (120, 2));
    assert!(load.records.iter().enumerate().all(|(n, record)| record.fields.len() == 600 && record.fields[&names[599]] == format!("v{n}")));
    let longest = scene.portal.stand().log.entries().iter().map(|entry| entry.target.len()).max().unwrap();
    assert!(longest < 16_000, "{longest}");
}

#[tokio::test]
async fn records_by_id_say_where_they_went() {
    let scene = scene();
    let [ann, bob, cid, dan]: [String; 4] = ["ann", "bob", "cid", "dan"].map(|name| scene.contact(&format!("{name}@example.com")));
    scene.portal.merge("contacts", &ann, &bob).unwrap();
    scene.portal.delete("contacts", &cid, false).unwrap();
    let get = async |asked: &[&String]| {
        let asked: Vec<String> = asked.iter().map(|id| (*id).clone()).collect();
        let mut found = scene.connector.get(&scene.session, "contacts", &asked, &fields(&["email"])).await.unwrap();
        found.sort_by_key(|record| record.id.parse::<u64>().unwrap());
        found
    };
    let found = get(&[&dan, &bob, &ann, &cid, &"999999".to_owned(), &"x".to_owned()]).await;
    assert_eq!(ids(&found), [&ann, &bob, &dan]);
    assert_eq!((found[1].merged_into.as_ref(), found[1].fields.len()), (Some(&ann), 0));
    assert_eq!((found[0].merged_into.as_ref(), &found[2].fields["email"]), (None, &json!("dan@example.com")));
    // The survivor is told also where nobody asked for it, and it is not in the answer.
    let found = get(&[&bob]).await;
    assert_eq!((ids(&found), found[0].merged_into.as_ref()), (vec![bob.as_str()], Some(&ann)));
    // A chain of merges ends where it ends.
    scene.portal.merge("contacts", &dan, &ann).unwrap();
    let found = get(&[&bob, &ann]).await;
    assert_eq!(found.iter().map(|record| record.merged_into.as_deref()).collect::<Vec<_>>(), [Some(dan.as_str()), Some(dan.as_str())]);
    assert!(get(&[]).await.is_empty());
}

#[tokio::test]
async fn a_unique_property_finds_at_once_and_others_when_the_search_knows() {
    let scene = scene_with(json!({"uniqueProperties": "companies.vat"}), Options::unlimited());
    scene.portal.add_property("companies", "vat string #").unwrap();
    scene.fault("index-lag,ms=30000");
    let ann = scene.portal.add("contacts", &json!({"email": "ann@example.com", "phone": "123"})).unwrap();
    let acme = scene.portal.add("companies", &json!({"name": "Acme", "vat": "DE5"})).unwrap();
    let find = async |object: &str, field: &str, value: Value| {
        let found = scene.connector.find(&scene.session, object, field, &value, &fields(&[field])).await.unwrap();
        found.iter().map(|record| (record.id.clone(), record.fields[field].clone())).collect::<Vec<_>>()
    };
    assert_eq!(find("contacts", "email", json!("Ann@Example.com")).await, [(ann.clone(), json!("ann@example.com"))]);
    assert_eq!(find("companies", "vat", json!("DE5")).await, [(acme.clone(), json!("DE5"))]);
    assert_eq!(find("contacts", "hs_object_id", json!(ann.parse::<u64>().unwrap())).await, [(ann.clone(), json!(ann))]);
    assert_eq!(find("contacts", "phone", json!("123")).await, []);
    for nothing in [json!(null), json!(""), json!("bob@example.com")] {
        assert_eq!(find("contacts", "email", nothing).await, []);
    }
    scene.pass(31);
    assert_eq!(find("contacts", "phone", json!(123)).await, [(ann, json!("123"))]);
    assert_eq!(find("companies", "name", json!("Acme")).await, [(acme, json!("Acme"))]);
}

#[tokio::test]
async fn many_values_are_found_in_one_call() {
    let scene = scene();
    scene.portal.seed_contacts(120);
    let find = async |field: &str, values: Vec<Value>| {
        let calls = scene.carrier.notes.count("");
        let found = scene.connector.find_any(&scene.session, "contacts", field, &values, &fields(&[field])).await.unwrap();
        (found.len(), scene.carrier.notes.count("") - calls)
    };
    let emails = |n: usize| {
        (0..n).map(|n| json!(format!("Contact{n}@example.com"))).chain([json!(null), json!("nobody@example.com")]).collect::<Vec<_>>()
    };
    assert_eq!(find("email", emails(90)).await, (90, 1));
    assert_eq!(find("phone", vec![json!("+493000000001"), json!("+493000000002"), json!("1")]).await, (2, 1));
    assert_eq!(find("email", vec![json!(null)]).await, (0, 0));
}

#[tokio::test]
async fn both_families_of_paths_lead_to_the_same() {
    for (version, part) in [("2026-03", "/crm/objects/2026-03/contacts"), ("v3", "/crm/v3/objects/contacts")] {
        let scene = scene_with(json!({"apiVersion": version}), Options::unlimited());
        scene.contact("ann@example.com");
        assert_eq!(scene.run(Span::Full, &["email"]).await.records.len(), 1);
        assert_eq!(scene.carrier.notes.count(part), 2, "the list and the count");
        let schema = scene.connector.describe(&scene.session, "contacts").await.unwrap();
        assert!(schema.fields.iter().any(|field| field.name == "email" && field.unique && field.kind == FieldKind::Email));
    }
    let scene = scene_with(json!({"apiVersion": "v1"}), Options::unlimited());
    assert_eq!(scene.page(Span::Full, &[], None).await.unwrap_err().code(), "vendor_refused");
    assert_eq!(scene.carrier.notes.count(""), 0);
}

#[tokio::test]
async fn a_schema_tells_kinds_options_and_associations() {
    let scene = scene();
    scene.portal.add_property("contacts", "shoe_size number").unwrap();
    let schema = scene.connector.describe(&scene.session, "contacts").await.unwrap();
    let field = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap();
    let kinds = ["phone", "score", "newsletter", "birthday", "lastmodifieddate", "lifecyclestage", "city"].map(|name| field(name).kind);
    let expected =
        [FieldKind::Phone, FieldKind::Number, FieldKind::Boolean, FieldKind::Date, FieldKind::DateTime, FieldKind::Choice, FieldKind::Text];
    assert_eq!(kinds, expected);
    assert_eq!(field("lifecyclestage").options, ["subscriber", "lead", "opportunity", "customer"]);
    assert!(field("shoe_size").custom && !field("city").custom && field("lastmodifieddate").read_only && !field("city").read_only);
    assert_eq!(field("associations.companies").kind, FieldKind::Reference);
}

#[tokio::test]
async fn associations_are_read_from_lists_searches_and_batches() {
    let scene = scene();
    let ann = scene.contact("ann@example.com");
    let [acme, _]: [String; 2] = ["Acme", "Beta"].map(|name| scene.portal.add("companies", &json!({"name": name})).unwrap());
    let outcome = scene
        .write("deals", &[super::create(&json!({"dealname": "D", "associations.contacts": ann, "associations.companies": acme}))])
        .await;
    let connectors::Outcome::Created(deal) = &outcome[0] else { panic!("{outcome:?}") };
    let wanted = ["dealname", "associations.contacts", "associations.companies"];
    let expected = json!({"dealname": "D", "associations.contacts": ann, "associations.companies": acme});
    assert_eq!(Value::Object(deal.fields.clone()), expected);
    let load = scene.run_of("deals", Span::Full, &wanted, None).await;
    let since = scene.run_of("deals", Span::Since(load.cursor.clone()), &wanted, None).await;
    let got = scene.connector.get(&scene.session, "deals", std::slice::from_ref(&deal.id), &fields(&wanted)).await.unwrap();
    for record in [&load.records[0], &since.records[0], &got[0]] {
        assert_eq!(record.fields.iter().collect::<std::collections::BTreeMap<_, _>>(), super::map(&expected).iter().collect());
    }
}

#[tokio::test]
async fn the_test_call_says_who_we_are() {
    let scene = scene();
    assert_eq!(scene.connector.test(&scene.session).await.unwrap(), "HubSpot account 62515 (UTC)");
}

#[tokio::test]
async fn a_page_that_repeats_its_ids_is_not_followed_for_ever() {
    let scene = scene();
    scene.portal.seed_contacts(450);
    scene.fault("duplicate-rows");
    let load = tokio::time::timeout(Duration::from_secs(20), scene.run(Span::Full, &[])).await.unwrap();
    assert_eq!(load.ids().len(), 450);
    assert!(load.records.len() > 450, "the double did repeat rows");
}
