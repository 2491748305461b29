use std::sync::Arc;
use std::sync::atomic::Ordering;

use connectors::{Connector as _, FieldKind, PageAsk, Span, Zoho};
use kernel::Ambient;
use serde_json::{Map, Value, json};
use vendors::stand::{Double, Vendor as _};
use vendors::zoho::{Options, Zoho as Org};

use super::{fields, scene, scene_with};
use crate::bed::{TcpCarrier, session};

#[tokio::test]
async fn a_full_load_reads_everything_once_and_the_next_run_only_what_changed() {
    let scene = scene();
    scene.org.seed_leads(450);
    scene.pass(600);
    let load = scene.run(Span::Full, &["Email", "Phone"]).await;
    assert_eq!((load.pages, load.total, load.ids().len(), load.records.len()), (3, Some(450), 450, 450));
    let first = load.records[0].clone();
    assert_eq!(Value::Object(first.fields.clone()), json!({"Email": "lead0@example.com", "Phone": null}));
    assert!(first.modified_at.is_some());
    scene.pass(600);
    let calls = scene.carrier.notes.count("");
    let unchanged = scene.run(Span::Since(load.cursor.clone()), &["Email"]).await;
    assert_eq!((unchanged.records.len(), unchanged.cursor.clone(), scene.carrier.notes.count("") - calls), (0, load.cursor, 1), "one 304");
    let new = scene.lead("New");
    scene.org.edit("Leads", &first.id, &json!({"Phone": "1"})).unwrap();
    let run = scene.run(Span::Since(unchanged.cursor), &["Phone"]).await;
    let mut changed = vec![first.id.as_str(), new.as_str()];
    changed.sort_unstable();
    assert_eq!((run.ids(), run.pages), (changed, 1));
    // What was read is read again within the overlap, and no longer after it.
    scene.pass(600);
    let run = scene.run(Span::Since(run.cursor), &["Phone"]).await;
    let again = run.records.len();
    let run = scene.run(Span::Since(run.cursor), &["Phone"]).await;
    assert!(again <= 2 && run.records.is_empty(), "{again}");
}

/// Numbers of pages end at 2,000 records; tokens go on.
#[tokio::test]
async fn more_than_two_thousand_records_are_read_by_tokens() {
    let scene = scene();
    scene.org.seed_leads(4100);
    let load = scene.run(Span::Full, &["Email"]).await;
    assert_eq!((load.ids().len(), load.records.len(), load.pages), (4100, 4100, 21));
}

#[tokio::test]
async fn more_than_two_thousand_changes_of_one_second_are_all_read() {
    let scene = scene();
    let cursor = scene.run(Span::Full, &[]).await.cursor;
    scene.pass(5);
    for n in 0..2300 {
        scene.org.add("Leads", &json!({"Last_Name": format!("L{n}")})).unwrap();
    }
    let run = scene.run(Span::Since(cursor), &["Last_Name"]).await;
    assert_eq!((run.ids().len(), run.pages), (2300, 12));
}

/// A page's token lives a day. The run goes on by ids, and misses nothing and repeats nothing.
#[tokio::test]
async fn a_token_that_has_ended_is_gone_around() {
    let scene = scene();
    scene.org.seed_leads(2500);
    let first = scene.page(Span::Full, &["Email"], None).await.unwrap();
    let token = first.next.unwrap();
    scene.fault("server-error,status=400,path=page_token,times=1");
    let (mut ids, mut next) = (first.records.iter().map(|record| record.id.clone()).collect::<Vec<_>>(), Some(token));
    while let Some(token) = next {
        let page = scene.page(Span::Full, &["Email"], Some(&token)).await.unwrap_or_else(|fault| panic!("{fault:?}"));
        ids.extend(page.records.iter().map(|record| record.id.clone()));
        next = page.next;
        assert!(page.cursor.is_some() || next.is_some());
    }
    let whole = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((whole, ids.len()), (2500, 2500));
}

#[tokio::test]
async fn a_filter_goes_by_a_query_and_its_values_stay_values() {
    let scene = scene();
    let names = ["O'Hare", "x' or Last_Name != '", r"back\slash", "plain"];
    for name in names {
        scene.org.add("Leads", &json!({"Last_Name": name, "Company": "C", "Annual_Revenue": 5})).unwrap();
    }
    for name in names {
        let run = scene.run_of("Leads", Span::Full, &["Last_Name"], Some(&json!({"Last_Name": name}))).await;
        assert_eq!(run.records.iter().map(|record| record.fields["Last_Name"].clone()).collect::<Vec<_>>(), [json!(name)]);
    }
    scene.pass(600);
    let both = json!({"Company": ["C", "D"], "Annual_Revenue": 5, "Phone": null});
    let run = scene.run_of("Leads", Span::Full, &["Last_Name"], Some(&both)).await;
    assert_eq!(run.records.len(), 4);
    scene.pass(600);
    scene.lead("Late");
    scene.org.edit("Leads", &run.records[0].id, &json!({"City": "Roma"})).unwrap();
    let since = scene.run_of("Leads", Span::Since(run.cursor), &["Last_Name"], Some(&both)).await;
    assert_eq!(since.ids(), [run.records[0].id.as_str()]);
}

#[tokio::test]
async fn a_query_passes_its_own_bound_too() {
    let scene = scene();
    scene.org.seed_leads(2300);
    let run = scene.run_of("Leads", Span::Full, &["Email"], Some(&json!({"Phone": null}))).await;
    assert_eq!((run.ids().len(), run.records.len(), run.pages), (2300, 2300, 2));
}

/// What a query shows late is not lost to the next one.
#[tokio::test]
async fn what_a_query_shows_late_is_not_lost() {
    for (overlap, found) in [(60, true), (0, false)] {
        let scene = scene_with(json!({"overlapSeconds": overlap}), Options::unlimited());
        let filter = json!({"Phone": null});
        scene.lead("First");
        let cursor = scene.run_of("Leads", Span::Full, &[], Some(&filter)).await.cursor;
        scene.pass(100);
        scene.fault("index-lag,ms=30000");
        let late = scene.lead("Late");
        scene.pass(10);
        let run = scene.run_of("Leads", Span::Since(cursor), &[], Some(&filter)).await;
        assert!(!run.ids().contains(&late.as_str()));
        scene.pass(60);
        let run = scene.run_of("Leads", Span::Since(run.cursor), &[], Some(&filter)).await;
        assert_eq!(run.ids().contains(&late.as_str()), found, "overlap {overlap}");
    }
}

#[tokio::test]
async fn more_than_fifty_fields_are_read_in_parts() {
    let scene = scene();
    let names: Vec<String> = (0..110).map(|n| format!("Own_{n}")).collect();
    names.iter().for_each(|name| scene.org.add_field("Leads", &format!("{name} text 100")).unwrap());
    for n in 0..150 {
        let own: Map<String, Value> =
            names.iter().map(|name| (name.clone(), json!(format!("{name} {n}")))).chain([("Last_Name".to_owned(), json!("x"))]).collect();
        scene.org.add("Leads", &Value::Object(own)).unwrap();
    }
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let load = scene.run(Span::Full, &asked).await;
    assert_eq!(load.records.len(), 150);
    for (n, record) in load.records.iter().enumerate() {
        assert_eq!(
            (record.fields.len(), &record.fields["Own_109"], &record.fields["Own_0"]),
            (110, &json!(format!("Own_109 {n}")), &json!(format!("Own_0 {n}")))
        );
    }
    let got = scene.connector.get(&scene.session, "Leads", &[load.records[7].id.clone()], &names).await.unwrap();
    assert_eq!(got[0].fields.len(), 110);
    assert_eq!(got[0].fields["Own_109"], "Own_109 7");
}

#[tokio::test]
async fn records_by_id_are_there_or_absent() {
    let scene = scene();
    let [ann, bob, cid, dan]: [String; 4] = ["Ann", "Bob", "Cid", "Dan"].map(|name| scene.lead(name));
    scene.org.delete("Leads", &cid, false).unwrap();
    scene.org.merge("Leads", &ann, &bob).unwrap();
    scene.fault("index-lag,ms=30000");
    scene.org.edit("Leads", &dan, &json!({"City": "Roma"})).unwrap();
    let asked = [dan.clone(), cid, bob, ann.clone(), "5".into(), "x".into()];
    let mut found = scene.connector.get(&scene.session, "Leads", &asked, &fields(&["City"])).await.unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let found: Vec<_> = found.iter().map(|record| (record.id.as_str(), Value::Object(record.fields.clone()))).collect();
    assert_eq!(
        found,
        [(ann.as_str(), json!({"City": null})), (dan.as_str(), json!({"City": "Roma"}))],
        "what was written a moment ago is read"
    );
    assert!(scene.connector.get(&scene.session, "Leads", &[], &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_value_is_found_when_the_query_knows() {
    let scene = scene();
    scene.fault("index-lag,ms=30000");
    let ann = scene.lead("O'Ann");
    let find = async |field: &str, value: Value| {
        let found = scene.connector.find(&scene.session, "Leads", field, &value, &fields(&["Last_Name"])).await.unwrap();
        found.into_iter().map(|record| (record.id, Value::Object(record.fields))).collect::<Vec<_>>()
    };
    let expected = vec![(ann.clone(), json!({"Last_Name": "O'Ann"}))];
    assert_eq!(find("id", json!(ann)).await, expected, "an id is known at once");
    assert_eq!(find("Last_Name", json!("O'Ann")).await, []);
    scene.pass(31);
    assert_eq!(find("Last_Name", json!("O'Ann")).await, expected);
    for nothing in [json!(null), json!(""), json!("O'Bob")] {
        assert_eq!(find("Last_Name", nothing).await, []);
    }
    let fault = scene.connector.find(&scene.session, "Leads", "Last_Name = 'x' or id", &json!("y"), &[]).await.unwrap_err();
    assert_eq!(fault.code(), "vendor_refused");
}

#[tokio::test]
async fn many_values_are_found_in_few_queries() {
    let scene = scene();
    scene.org.seed_leads(120);
    let values: Vec<Value> =
        (0..90).map(|n| json!(format!("lead{n}@example.com"))).chain([json!(null), json!("nobody@example.com")]).collect();
    let found = scene.connector.find_any(&scene.session, "Leads", "Email", &values, &fields(&["Email"])).await.unwrap();
    assert_eq!((found.len(), scene.carrier.notes.count("coql")), (90, 2));
    assert!(found.iter().all(|record| record.fields.len() == 1));
}

#[tokio::test]
async fn a_reference_is_an_id_both_ways() {
    let scene = scene();
    let acme = scene.org.add("Accounts", &json!({"Account_Name": "Acme"})).unwrap();
    let write = super::create(&json!({"Last_Name": "Ann", "Account_Name": {"id": acme}}));
    scene.write("Contacts", &[write]).await;
    let run = scene.run_of("Contacts", Span::Full, &["Account_Name", "Owner"], None).await;
    assert_eq!(run.records[0].fields["Account_Name"], json!({"id": acme}), "its name may change without this record's changing");
    assert!(run.records[0].fields["Owner"]["id"].is_string());
}

#[tokio::test]
async fn a_schema_tells_kinds_and_options() {
    let scene = scene();
    scene.org.add_field("Leads", "Vat text 20 #").unwrap();
    let schema = scene.connector.describe(&scene.session, "Leads").await.unwrap();
    let field = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap();
    let kinds = ["Email", "Phone", "Annual_Revenue", "No_of_Employees", "Email_Opt_Out", "Created_Time", "Owner", "City"]
        .map(|name| field(name).kind);
    let expected = [
        FieldKind::Email,
        FieldKind::Phone,
        FieldKind::Money,
        FieldKind::Number,
        FieldKind::Boolean,
        FieldKind::DateTime,
        FieldKind::Reference,
        FieldKind::Text,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(field("Lead_Status").options, ["New", "Contacted", "Lost"]);
    assert!(
        field("Last_Name").required
            && field("Created_Time").read_only
            && field("Vat").custom
            && field("Vat").unique
            && !field("City").unique
    );
    assert_eq!(scene.connector.test(&scene.session).await.unwrap(), "Zoho organisation Double (Etc/UTC)");
}

/// Two data centres: calls go to the account's, whose token says where that is, and nowhere else.
#[tokio::test]
async fn every_account_is_asked_in_its_own_data_centre() {
    let [us, eu] = [
        Arc::new(Double::start(Org::new(Options::unlimited())).await.unwrap()),
        Arc::new(Double::start(Org::new(Options { location: "eu".into(), ..Options::unlimited() })).await.unwrap()),
    ];
    eu.seed_leads(3);
    let carrier = TcpCarrier::to(&eu, "Zoho-oauthtoken");
    let session = session(carrier.clone(), json!({"dataCentre": "us"}), &Ambient::system());
    let names = fields(&["Email"]);
    let page =
        Zoho::new().page(&session, PageAsk { object: "Leads", span: Span::Full, fields: &names, filter: None, token: None }).await.unwrap();
    assert_eq!((page.records.len(), page.total), (3, Some(3)));
    assert_eq!((us.stand().log.total(), carrier.notes.renewals.load(Ordering::SeqCst)), (0, 0));
}
