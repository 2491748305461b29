//! HubSpot's double: judged by its clients, and what those do not look at.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};
use vendors::faults::Fault;
use vendors::hubspot::{HubSpot, Options, signature_v3};
use vendors::stand::{Double, Vendor as _};

use crate::judges;
use crate::stage::{SOON, clock};

const CONTACTS: &str = "/crm/objects/2026-03/contacts";

async fn started(options: Options) -> (Double<HubSpot>, Client) {
    let double = Double::start(HubSpot::new(options)).await.unwrap();
    let client = Client::new(double.url()).bearer(&double.issue().access_token);
    (double, client)
}

#[tokio::test]
async fn the_client_for_javascript_is_satisfied() {
    let double = Double::start(HubSpot::new(Options::unlimited())).await.unwrap();
    let given = json!({"url": double.url(), "clientId": "double-client", "clientSecret": "double-secret"});
    if judges::judge_by_node("hubspot/client.cjs", &["@hubspot/api-client@14.0.1"], given).await {
        assert_eq!((double.rows("contacts").len(), double.rows("companies").len()), (92, 1));
    }
}

#[tokio::test]
async fn the_client_for_python_is_satisfied() {
    let double = Double::start(HubSpot::new(Options::unlimited())).await.unwrap();
    // Its own retries carry it over these.
    double.stand().faults.add(Fault::parse("rate-limit,retry-after=0,path=contacts,after=3,times=2").unwrap());
    let given = json!({"url": double.url(), "token": double.issue().access_token});
    if judges::judge_by_python("hubspot/client.py", &["hubspot-api-client==12.0.0"], given).await {
        assert_eq!(double.rows("contacts").len(), 31);
        assert!(double.stand().faults.is_spent());
    }
}

async fn search(client: &Client, filters: &[(&str, &str, &str)], more: &Value) -> Value {
    let filters: Vec<_> =
        filters.iter().map(|(name, operator, value)| json!({"propertyName": name, "operator": operator, "value": value})).collect();
    let mut body = json!({"filterGroups": [{"filters": filters}], "limit": 200});
    more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    client.post(&format!("{CONTACTS}/search"), &body).await.json()
}

/// The ceiling is passed by the id, not by the time, which many rows share.
#[tokio::test]
async fn more_than_ten_thousand_rows_of_one_time_are_reached_by_their_ids() {
    let (_, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    for n in 0..10_300 {
        double.add("contacts", &json!({"lastname": format!("L{n}")})).unwrap();
    }
    let at = "1800000000000";
    let refused = search(&client, &[("lastmodifieddate", "GTE", at)], &json!({"after": "9900"})).await;
    assert_eq!(refused["category"], "VALIDATION_ERROR");
    let (mut seen, mut last) = (0, "0".to_owned());
    loop {
        let page =
            search(&client, &[("lastmodifieddate", "EQ", at), ("hs_object_id", "GT", &last)], &json!({"sorts": ["hs_object_id"]})).await;
        let rows = page["results"].as_array().unwrap();
        assert_eq!(page["total"].as_u64().unwrap(), 10_300 - seen);
        let Some(end) = rows.last() else { break };
        assert!(rows[0]["id"].as_str().unwrap().parse::<u64>().unwrap() > last.parse().unwrap());
        last = end["id"].as_str().unwrap().to_owned();
        seen += rows.len() as u64;
    }
    assert_eq!(seen, 10_300);
}

#[tokio::test]
async fn search_compares_by_type() {
    let (double, client) = started(Options::unlimited()).await;
    for (name, score, day) in [("Ann", "9", "2026-01-01"), ("Bob", "10", "2026-02-01"), ("Cid", "", "")] {
        double.add("contacts", &json!({"firstname": name, "score": score, "birthday": day})).unwrap();
    }
    for (filter, expected) in [
        (("score", "GT", "9"), "Bob"),
        (("score", "NOT_HAS_PROPERTY", ""), "Cid"),
        (("birthday", "LT", "2026-01-15"), "Ann"),
        (("firstname", "EQ", "bob"), "Bob"),
        (("firstname", "CONTAINS_TOKEN", "c*"), "Cid"),
    ] {
        let page = search(&client, &[filter], &json!({"properties": ["firstname"]})).await;
        assert_eq!((&page["total"], &page["results"][0]["properties"]["firstname"]), (&json!(1), &json!(expected)), "{filter:?}");
    }
    let sorted =
        search(&client, &[("firstname", "HAS_PROPERTY", "")], &json!({"sorts": [{"propertyName": "score", "direction": "DESCENDING"}]}))
            .await;
    assert_eq!(sorted["results"][0]["id"], double.rows("contacts")[1]["id"]);
}

#[tokio::test]
async fn a_batch_without_trace_ids_fails_whole_and_with_them_row_by_row() {
    let (double, client) = started(Options::unlimited()).await;
    double.add("contacts", &json!({"email": "known@example.com"})).unwrap();
    double.subscribe("http://127.0.0.1:9/none", &["contact.creation"]).unwrap();
    let input = |email: &str, trace: Option<&str>| {
        let mut input = json!({"properties": {"email": email}});
        if let Some(trace) = trace {
            input["objectWriteTraceId"] = json!(trace);
        }
        input
    };
    let path = format!("{CONTACTS}/batch/create");
    let whole = client.post(&path, &json!({"inputs": [input("new@example.com", None), input("known@example.com", None)]})).await;
    assert_eq!(whole.expect(409).json()["category"], "CONFLICT");
    assert_eq!(double.rows("contacts").len(), 1);
    let partial = client
        .post(&path, &json!({"inputs": [input("new@example.com", Some("a")), input("known@example.com", Some("b"))]}))
        .await
        .expect(207)
        .json();
    assert_eq!(
        (&partial["results"][0]["objectWriteTraceId"], &partial["errors"][0]["context"]["objectWriteTraceId"]),
        (&json!("a"), &json!(["b"]))
    );
    double.stand().faults.add(Fault::parse("partial-batch,every=2,path=upsert").unwrap());
    let upsert = |email: &str| json!({"id": email, "idProperty": "email", "properties": {"lastname": "L"}});
    let spoiled = client
        .post(&format!("{CONTACTS}/batch/upsert"), &json!({"inputs": [upsert("new@example.com"), upsert("third@example.com")]}))
        .await
        .expect(207)
        .json();
    assert_eq!((&spoiled["results"][0]["new"], &spoiled["numErrors"]), (&json!(false), &json!(1)));
    let twice = client
        .post(&format!("{CONTACTS}/batch/upsert"), &json!({"inputs": [upsert("new@example.com"), upsert("new@example.com")]}))
        .await
        .expect(400)
        .json();
    assert!(twice["message"].as_str().unwrap().starts_with("Duplicate IDs"));
}

#[tokio::test]
async fn limits_are_told_and_search_has_its_own() {
    let (clock, ambient) = clock();
    let (double, client) =
        started(Options { ambient, calls_per_ten_seconds: 3, daily_calls: 5, searches_per_second: 1, ..Options::new() }).await;
    let first = client.get(CONTACTS).await.expect(200);
    assert_eq!(
        (
            first.header("x-hubspot-ratelimit-max"),
            first.header("x-hubspot-ratelimit-remaining"),
            first.header("x-hubspot-ratelimit-daily-remaining")
        ),
        (Some("3"), Some("2"), Some("4"))
    );
    assert!(search(&client, &[], &json!({})).await["total"].is_number());
    let second = client.post(&format!("{CONTACTS}/search"), &json!({})).await.expect(429);
    assert_eq!((&second.json()["policyName"], second.header("x-hubspot-ratelimit-max")), (&json!("SECONDLY"), None));
    client.get(CONTACTS).await.assert_status(200);
    assert_eq!(client.get(CONTACTS).await.expect(429).json()["policyName"], "TEN_SECONDLY_ROLLING");
    clock.advance(Duration::from_secs(10));
    double.use_up(2);
    assert_eq!(client.get(CONTACTS).await.expect(429).json()["policyName"], "DAILY");
    clock.advance(Duration::from_secs(86_400));
    let client = client.bearer(&double.issue().access_token);
    client.get(CONTACTS).await.assert_status(200);
}

#[tokio::test]
async fn webhooks_come_in_arrays_signed_repeated_doubled_and_out_of_order_as_told() {
    let (_, ambient) = clock();
    let (double, client) = started(Options { ambient, ..Options::unlimited() }).await;
    double.stand().outbox.set_pause(Duration::from_millis(1));
    let receiver = Receiver::start();
    receiver.script([Answer::status(500)]);
    double
        .subscribe(&receiver.url("/hook"), &["contact.creation", "contact.propertyChange:email", "contact.deletion", "contact.merge"])
        .unwrap();
    let made = client.post(CONTACTS, &json!({"properties": {"email": "a@example.com", "lastname": "A"}})).await.expect(201).json();
    let came = receiver.wait_for(2, SOON).await;
    assert_eq!(came[0].body, came[1].body);
    let events = came[1].json();
    let kinds: Vec<_> = events.as_array().unwrap().iter().map(|event| event["subscriptionType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["contact.creation", "contact.propertyChange"]);
    // The app's own writes can be told from others'.
    assert_eq!(
        (&events[1]["changeSource"], &events[1]["sourceId"], &events[1]["propertyValue"]),
        (&json!("INTEGRATION"), &json!("1160452"), &json!("a@example.com"))
    );
    let at = came[1].header("x-hubspot-request-timestamp").unwrap().parse().unwrap();
    let signature = signature_v3("double-secret", "POST", &receiver.url("/hook"), &came[1].body, at);
    assert_eq!(came[1].header("x-hubspot-signature-v3"), Some(signature.as_str()));
    receiver.take();
    let faults = &double.stand().faults;
    faults.add(Fault::parse("duplicate-webhooks,times=1").unwrap());
    faults.add(Fault::parse("lost-webhooks,after=1,times=1").unwrap());
    double.edit("contacts", made["id"].as_str().unwrap(), &json!({"email": "b@example.com"})).unwrap();
    let twice = receiver
        .wait_until("the event twice", SOON, |came| came.iter().map(|one| one.json().as_array().unwrap().len()).sum::<usize>() == 2)
        .await;
    let events: Vec<_> = twice.iter().flat_map(|one| one.json().as_array().unwrap().clone()).collect();
    assert_eq!((&events[0], &events[0]["changeSource"]), (&events[1], &json!("CRM_UI")));
    double.edit("contacts", made["id"].as_str().unwrap(), &json!({"email": "lost@example.com"})).unwrap();
    receiver.take();
    faults.clear();
    faults.add(Fault::parse("reorder-webhooks").unwrap());
    let other = double.add("contacts", &json!({"lastname": "Other"})).unwrap();
    double.merge("contacts", made["id"].as_str().unwrap(), &other).unwrap();
    let came = receiver
        .wait_until("both events", SOON, |came| came.iter().map(|one| one.json().as_array().unwrap().len()).sum::<usize>() == 2)
        .await;
    let events: Vec<_> = came.iter().flat_map(|one| one.json().as_array().unwrap().clone()).collect();
    assert_eq!((&events[0]["subscriptionType"], &events[1]["subscriptionType"]), (&json!("contact.merge"), &json!("contact.creation")));
    assert_eq!(events[0]["mergedObjectIds"], json!([other.parse::<u64>().unwrap()]));
}

#[tokio::test]
async fn a_merged_row_is_found_under_both_ids_and_archived_ones_in_their_own_list() {
    let (double, client) = started(Options::unlimited()).await;
    let kept = double.add("contacts", &json!({"email": "a@example.com"})).unwrap();
    let gone = double.add("contacts", &json!({"email": "b@example.com", "phone": "1"})).unwrap();
    let company = double.add("companies", &json!({"name": "Acme"})).unwrap();
    client
        .request(http::Method::PUT, &format!("/crm/v4/objects/contacts/{gone}/associations/default/companies/{company}"))
        .send()
        .await
        .assert_status(200);
    let merged =
        client.post(&format!("{CONTACTS}/merge"), &json!({"primaryObjectId": kept, "objectIdToMerge": gone})).await.expect(200).json();
    assert_eq!((&merged["properties"]["phone"], &merged["properties"]["hs_merged_object_ids"]), (&json!("1"), &json!(gone)));
    assert_eq!(client.get(&format!("{CONTACTS}/{gone}?associations=companies")).await.expect(200).json()["id"], json!(kept));
    let links = client.get(&format!("/crm/v4/objects/companies/{company}/associations/contacts")).await.json();
    assert_eq!(links["results"][0]["toObjectId"].to_string(), kept);
    client.delete(&format!("{CONTACTS}/{kept}")).await.assert_status(204);
    let archived = client.get(&format!("{CONTACTS}?archived=true")).await.expect(200).json();
    assert_eq!((archived["results"].as_array().unwrap().len(), &archived["results"][0]["id"]), (1, &json!(kept)));
    assert!(archived["results"][0]["archivedAt"].is_string());
    double.restore("contacts", &kept).unwrap();
    client.post(&format!("{CONTACTS}/gdpr-delete"), &json!({"objectId": "a@example.com", "idProperty": "email"})).await.assert_status(204);
    assert_eq!(double.rows("contacts"), Vec::<Value>::new());
}
