use bytes::Bytes;
use connectors::{Connector as _, Hint, HintKind, InboundCall};
use http::{HeaderMap, HeaderValue, Method};
use kernel::{Clock as _, Secret, Timestamp};
use serde_json::Value;
use vendors::outbox::{Content, Message};
use vendors::stand::Vendor as _;

use super::{Scene, scene};

const URL: &str = "https://tradewind.example/in/providers/hubspot?a=%20b%3Fc";
const EVENTS: &[&str] = &[
    "contact.creation",
    "contact.deletion",
    "contact.privacyDeletion",
    "contact.merge",
    "contact.restore",
    "contact.propertyChange:email",
    "contact.propertyChange:city",
    "company.creation",
    "object.creation",
];

fn watched() -> Scene {
    let scene = scene();
    scene.portal.subscribe(URL, EVENTS).unwrap();
    scene
}

/// What HubSpot posts for some events, in one call.
fn posted(messages: &[Message], now: Timestamp) -> (HeaderMap, Bytes) {
    let part = |message: &Message| match &message.content {
        Content::Part(part) => part.clone(),
        Content::Whole(_) => panic!("HubSpot sends arrays"),
    };
    let body = Bytes::from(Value::Array(messages.iter().map(part).collect()).to_string());
    let mut headers = HeaderMap::new();
    for (name, value) in (messages[0].sign)(URL, &body, now.millis()) {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    (headers, body)
}

fn read(scene: &Scene, (headers, body): &(HeaderMap, Bytes), secrets: &[&str], now: Timestamp) -> Option<Vec<Hint>> {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    let call = InboundCall { method: &Method::POST, url: URL, headers, body, now, secrets: &secrets };
    scene.connector.webhook(call).map(|verified| {
        assert_eq!(verified.answer, None);
        verified.hints
    })
}

fn hints(scene: &Scene, messages: &[Message]) -> Vec<(String, String, HintKind)> {
    let now = scene.clock.now();
    let read = read(scene, &posted(messages, now), &["double-secret"], now).expect("it is genuine");
    assert!(read.iter().all(|hint| hint.account.as_deref() == Some("62515") && hint.at.is_some()));
    read.into_iter().map(|hint| (hint.object, hint.id, hint.kind)).collect()
}

#[test]
fn events_become_hints() {
    let scene = watched();
    let [ann, bob, cid, dan] = ["ann", "bob", "cid", "dan"].map(|name| scene.contact(&format!("{name}@example.com")));
    let acme = scene.portal.add("companies", &serde_json::json!({"name": "Acme"})).unwrap();
    scene.pass(1);
    scene.portal.edit("contacts", &ann, &serde_json::json!({"city": "Roma"})).unwrap();
    scene.portal.delete("contacts", &bob, false).unwrap();
    scene.portal.delete("contacts", &cid, true).unwrap();
    scene.portal.merge("contacts", &ann, &dan).unwrap();
    let told = hints(&scene, &scene.portal.stand().outbox.take());
    let of = |object: &str, id: &str, kind| (object.to_owned(), id.to_owned(), kind);
    let expected = [
        of("companies", &acme, HintKind::Changed),
        of("contacts", &ann, HintKind::Changed),
        of("contacts", &bob, HintKind::Deleted),
        of("contacts", &cid, HintKind::Deleted),
        of("contacts", &dan, HintKind::Merged(ann.clone())),
    ];
    assert_eq!(told, expected);
}

#[test]
fn twice_and_backwards_comes_to_the_same() {
    let scene = watched();
    scene.fault("duplicate-webhooks");
    let ann = scene.contact("ann@example.com");
    scene.pass(1);
    scene.portal.delete("contacts", &ann, false).unwrap();
    scene.pass(1);
    scene.portal.restore("contacts", &ann).unwrap();
    let mut messages = scene.portal.stand().outbox.take();
    assert_eq!(messages.len(), 10, "creation as contact and as object, the e-mail, deletion, restoration, each twice");
    let forward = hints(&scene, &messages);
    messages.reverse();
    assert_eq!(forward, hints(&scene, &messages));
    assert_eq!(forward, [("contacts".to_owned(), ann, HintKind::Changed)]);
}

#[test]
fn an_import_comes_in_full_calls_of_a_hundred() {
    let scene = watched();
    let ids: Vec<String> = (0..150).map(|n| scene.contact(&format!("c{n}@example.com"))).collect();
    let messages = scene.portal.stand().outbox.take();
    assert_eq!(messages.len(), 450);
    let mut told: Vec<String> = messages.chunks(100).flat_map(|call| hints(&scene, call)).map(|(_, id, _)| id).collect();
    told.dedup();
    assert_eq!(told, ids);
}

#[test]
fn a_call_is_genuine_under_either_secret_and_for_five_minutes() {
    let scene = watched();
    scene.contact("ann@example.com");
    let now = scene.clock.now();
    let post = posted(&scene.portal.stand().outbox.take(), now);
    assert!(read(&scene, &post, &["next-secret", "double-secret"], now).is_some());
    assert!(read(&scene, &post, &["double-secret", "old-secret"], now).is_some());
    assert!(read(&scene, &post, &["next-secret"], now).is_none() && read(&scene, &post, &[], now).is_none());
    let minutes = |n: u64| std::time::Duration::from_secs(n * 60);
    assert!(read(&scene, &post, &["double-secret"], now.plus(minutes(5))).is_some());
    assert!(read(&scene, &post, &["double-secret"], now.plus(minutes(6))).is_none());
    assert!(read(&scene, &post, &["double-secret"], now.minus(minutes(6))).is_none());
    let forged = (post.0.clone(), Bytes::from(String::from_utf8_lossy(&post.1).replace("ann@", "eve@")));
    assert!(read(&scene, &forged, &["double-secret"], now).is_none());
    let mut stripped = post.clone();
    stripped.0.remove("x-hubspot-signature-v3");
    assert!(read(&scene, &stripped, &["double-secret"], now).is_none(), "the first version alone can be sent again for ever");
}

#[tokio::test]
async fn a_webhook_of_the_app_cannot_be_asked_for() {
    let scene = watched();
    let secret = Secret::new("x".to_owned());
    assert_eq!(scene.connector.watch(&scene.session, "contacts", URL, &secret, None).await, Ok(None));
    assert_eq!(scene.connector.unwatch(&scene.session, "contacts", "1").await, Ok(()));
    assert_eq!(scene.carrier.notes.count(""), 0);
}
