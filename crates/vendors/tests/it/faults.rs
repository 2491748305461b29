//! Each fault, and the form in which each vendor shows it.

use http::Method;
use serde_json::{Value, json};
use testkit::http::Client;
use vendors::faults::{Fault, Kind, RetryAfter};
use vendors::stand::{Call, Double, Ending, Vendor, handle};
use vendors::{hubspot, pipedrive, salesforce, zoho};

use crate::stage::clock;

/// A double of each vendor with a signed-in client and a path that lists rows.
async fn with<V: Vendor>(vendor: V, scheme: &str, path: &'static str) -> (Double<V>, Client, &'static str) {
    let token = vendor.act("token", &Value::Null).unwrap()["access_token"].as_str().unwrap().to_owned();
    let double = Double::start(vendor).await.unwrap();
    let client = Client::new(double.url()).with("authorization", &format!("{scheme} {token}"));
    client.get(path).await.assert_status(200);
    (double, client, path)
}

async fn salesforce() -> (Double<salesforce::Salesforce>, Client, &'static str) {
    let vendor = salesforce::Salesforce::new(salesforce::Options::new());
    vendor.seed_leads(3);
    with(vendor, "Bearer", "/services/data/v62.0/query?q=SELECT%20Id%20FROM%20Lead").await
}

async fn hubspot() -> (Double<hubspot::HubSpot>, Client, &'static str) {
    let vendor = hubspot::HubSpot::new(hubspot::Options::new());
    vendor.seed_contacts(3);
    with(vendor, "Bearer", "/crm/v3/objects/contacts").await
}

async fn pipedrive() -> (Double<pipedrive::Pipedrive>, Client, &'static str) {
    let vendor = pipedrive::Pipedrive::new(pipedrive::Options::new());
    vendor.seed_persons(3);
    with(vendor, "Bearer", "/api/v2/persons").await
}

async fn zoho() -> (Double<zoho::Zoho>, Client, &'static str) {
    let vendor = zoho::Zoho::new(zoho::Options::new());
    vendor.seed_leads(3);
    with(vendor, "Zoho-oauthtoken", "/crm/v8/Leads?fields=Last_Name").await
}

/// What every vendor does alike; `limit` and `dead` are what its own form must say.
async fn alike<V: Vendor>((double, client, path): (Double<V>, Client, &'static str), limit: &str, dead: &str) {
    let faults = &double.stand().faults;
    for (kind, field) in [(RetryAfter::Silent, None), (RetryAfter::Seconds(7), Some("7"))] {
        faults.add(Fault::new(Kind::RateLimit(kind)).times(1));
        let refused = client.get(path).await.expect(429);
        assert_eq!(refused.header("retry-after"), field, "{}", double.name());
        assert!(refused.text().contains(limit), "{}", refused.text());
    }
    faults.add(Fault::new(Kind::RateLimit(RetryAfter::Date(60))).times(1));
    assert!(client.get(path).await.expect(429).header("retry-after").unwrap().ends_with(" GMT"));
    faults.add(Fault::new(Kind::Html(503)).times(1));
    let page = client.get(path).await.expect(503);
    assert!(page.header("content-type").unwrap().starts_with("text/html") && page.text().starts_with("<!DOCTYPE html>"));
    for kind in [Kind::LostRequest, Kind::LostAnswer, Kind::CutBody] {
        faults.add(Fault::new(kind).times(1));
        assert!(client.request(Method::GET, path).try_send().await.is_err(), "{} {kind:?}", double.name());
    }
    faults.add(Fault::new(Kind::Forbidden).times(1));
    client.get(path).await.assert_status(403);
    faults.add(Fault::new(Kind::ServerError(502)).times(1));
    client.get(path).await.assert_status(502);
    assert!(faults.is_spent());
    client.get(path).await.assert_status(200);
    // A token that was refused once stays refused, also without the fault.
    faults.add(Fault::new(Kind::Unauthorized).times(1));
    assert!(client.get(path).await.expect(401).text().contains(dead));
    assert!(client.get(path).await.expect(401).text().contains(dead));
    assert_eq!(double.stand().log.entries().last().unwrap().status, 401);
}

#[tokio::test]
async fn salesforce_shows_them_in_its_form() {
    alike(salesforce().await, "REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID").await;
}

#[tokio::test]
async fn hubspot_shows_them_in_its_form() {
    alike(hubspot().await, "TEN_SECONDLY_ROLLING", "EXPIRED_AUTHENTICATION").await;
}

#[tokio::test]
async fn pipedrive_shows_them_in_its_form() {
    alike(pipedrive().await, "request over limit", "unauthorized access").await;
}

#[tokio::test]
async fn zoho_shows_them_in_its_form() {
    alike(zoho().await, "TOO_MANY_REQUESTS", "INVALID_TOKEN").await;
}

#[tokio::test]
async fn a_lost_answer_was_done_and_a_lost_request_was_not() {
    let (double, client, _) = hubspot().await;
    let faults = &double.stand().faults;
    let body = |email: &str| json!({"properties": {"email": email}});
    for (kind, count) in [(Kind::LostRequest, 3), (Kind::LostAnswer, 4)] {
        faults.add(Fault::new(kind).on(Method::POST).times(1));
        let sent = client.request(Method::POST, "/crm/v3/objects/contacts").json(&body("a@example.com")).try_send().await;
        assert!(sent.is_err());
        assert_eq!(double.rows("contacts").len(), count, "{kind:?}");
    }
    client.post("/crm/v3/objects/contacts", &body("a@example.com")).await.assert_status(409);
}

#[tokio::test]
async fn faults_and_acts_come_over_the_control_pages_too() {
    let (double, client, path) = zoho().await;
    client.request(Method::POST, "/_double/faults").body("text/plain", "error-inside,path=Leads,times=1").send().await.assert_status(200);
    assert_eq!(client.get(path).await.expect(200).json()["code"], "INTERNAL_ERROR");
    client.request(Method::POST, "/_double/faults").body("text/plain", "rain").send().await.assert_status(400);
    let made = client.post("/_double/add", &json!({"object": "Leads", "fields": {"Last_Name": "Rao"}})).await.expect(200).json();
    assert_eq!(double.rows("Leads").last().unwrap()["id"], made);
    let calls = client.get("/_double/calls").await.expect(200).json();
    assert_eq!((&calls["total"], &calls["calls"][1][1]), (&json!(2), &json!("GET")));
}

/// Everything works without a connection: a simulation asks the double itself and moves its clock.
#[test]
fn a_double_can_be_asked_directly() {
    let (clock, ambient) = clock();
    let vendor = hubspot::HubSpot::new(hubspot::Options { ambient, ..hubspot::Options::unlimited() });
    let token = format!("Bearer {}", vendor.issue().access_token);
    let ask = |method: Method, target: &str, body: Value| {
        let call = Call::new(method, target).with_json(&body).with("authorization", &token);
        handle(&vendor, call)
    };
    vendor.stand().faults.add(Fault::parse("index-lag,ms=5000").unwrap());
    vendor.stand().faults.add(Fault::parse("slow,ms=300,path=search").unwrap());
    ask(Method::POST, "/crm/v3/objects/contacts", json!({"properties": {"email": "a@example.com"}}));
    let search = || {
        let filter = json!({"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}]}]});
        ask(Method::POST, "/crm/v3/objects/contacts/search", filter)
    };
    let before = search();
    assert_eq!((before.value()["total"].clone(), before.delay.as_millis(), before.ending), (json!(0), 300, Ending::Whole));
    clock.advance(std::time::Duration::from_secs(5));
    // The row appears late, with the time at which it was written.
    let after = search().value();
    assert_eq!((&after["total"], &after["results"][0]["updatedAt"]), (&json!(1), &json!("2027-01-15T08:00:00.000Z")));
    vendor.stand().faults.add(Fault::new(Kind::LostAnswer));
    assert_eq!(search().ending, Ending::Never);
}

#[tokio::test]
async fn a_double_listens_on_loopback_only() {
    let anywhere = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(Double::listen(zoho::Zoho::new(zoho::Options::new()), anywhere).await.is_err());
}
