//! Webhooks: set up, proved by Basic authentication, read as hints.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::{Connector as _, HintKind, InboundCall, Pipedrive, Verified};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use kernel::{Ambient, Secret};
use serde_json::json;
use testkit::receiver::Receiver;
use vendors::pipedrive::{Options, Pipedrive as Account};
use vendors::stand::Double;

use super::names;
use crate::bed::{TcpCarrier, session};

fn read(headers: &HeaderMap, body: &[u8], secrets: &[&str]) -> Option<Verified> {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    let now = Ambient::system().now();
    Pipedrive::new().webhook(InboundCall { method: &Method::POST, url: "https://x.example/in", headers, body, now, secrets: &secrets })
}

#[tokio::test]
async fn changes_merges_and_deletions_arrive_and_say_what_to_read() {
    let double = Arc::new(Double::start(Account::new(Options::unlimited())).await.unwrap());
    let carrier = TcpCarrier::to(&double, "Bearer");
    let session = session(carrier.clone(), json!({}), &Ambient::system());
    let (pipedrive, receiver, secret) = (Pipedrive::new(), Receiver::start(), Secret::new("hook-secret".to_owned()));
    let plan = pipedrive.watch(&session, "persons", &receiver.url("/in"), &secret, None).await.unwrap().unwrap();
    assert_eq!(plan.expires_at, None);
    assert_eq!(pipedrive.watch(&session, "persons", &receiver.url("/in"), &secret, Some(&plan.id)).await.unwrap(), Some(plan.clone()));
    assert_eq!(carrier.notes.count("POST"), 1, "it is not set up twice");
    double.add("persons", &json!({"name": "Ann"})).unwrap();
    double.add("persons", &json!({"name": "Ann L"})).unwrap();
    double.add("organizations", &json!({"name": "Org"})).unwrap();
    double.merge("persons", "1", "2").unwrap();
    double.delete("persons", "1", false).unwrap();
    let calls = receiver.wait_for(5, Duration::from_secs(20)).await;
    let mut hints: Vec<_> =
        calls.iter().flat_map(|call| read(&call.headers, &call.body, &["hook-secret"]).expect("it is Pipedrive's").hints).collect();
    assert!(hints.iter().all(|hint| hint.object == "persons" && hint.account.as_deref() == Some("54235233") && hint.at.is_some()));
    hints.sort_by_key(|hint| format!("{} {:?}", hint.id, hint.kind));
    let told: Vec<_> = hints.into_iter().map(|hint| (hint.id, hint.kind)).collect();
    let changed = |id: &str| (id.to_owned(), HintKind::Changed);
    assert_eq!(
        told,
        [changed("1"), changed("1"), ("1".to_owned(), HintKind::Deleted), changed("2"), ("2".to_owned(), HintKind::Merged("1".to_owned()))]
    );
    // The one that was merged is not there any more; the one that it lives on in can be seen.
    let read = pipedrive.get(&session, "persons", &names(&["2"]), &[]).await.unwrap();
    assert!(read.iter().all(|record| record.deleted), "{read:?}");
    pipedrive.unwatch(&session, "persons", &plan.id).await.unwrap();
    pipedrive.unwatch(&session, "persons", &plan.id).await.unwrap();
}

#[test]
fn only_the_password_proves_it_and_during_a_rotation_two_do() {
    let body =
        json!({"data": {"id": 1}, "previous": null, "meta": {"action": "change", "entity": "deal", "entity_id": 7, "company_id": 5}})
            .to_string();
    let with = |credential: &str| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(credential).unwrap())]);
    let basic = |password: &str| with(&format!("Basic {}", STANDARD.encode(format!("tradewind:{password}"))));
    let hints = |headers: &HeaderMap, secrets: &[&str]| read(headers, body.as_bytes(), secrets).map(|verified| verified.hints.len());
    assert_eq!(hints(&basic("old"), &["new", "old"]), Some(1));
    assert_eq!(hints(&basic("new"), &["new", "old"]), Some(1));
    for (headers, secrets) in [
        (basic("guess"), &["new", "old"][..]),
        (basic(""), &[""]),
        (basic("old"), &[]),
        (with("Bearer old"), &["old"]),
        (with("Basic !!"), &["old"]),
        (HeaderMap::new(), &["old"]),
    ] {
        assert_eq!(hints(&headers, secrets), None, "{headers:?}");
    }
    // What is proved but says nothing that we know is no hint, and no refusal either: Pipedrive would call for days.
    for odd in ["", "{}", "[]", r#"{"meta": {"entity": "product", "entity_id": 1}}"#, r#"{"meta": {"entity": "deal", "entity_id": {}}}"#] {
        assert_eq!(read(&basic("old"), odd.as_bytes(), &["old"]), Some(Verified::default()), "{odd}");
    }
}
