//! Redis Streams.

use ::redis::Value;
use serde_json::json;
use testkit::relay::Relay;

use crate::bed::{One, World, assert_is_webhook, failed, ids};

/// Fields and values of an entry.
type Entry = Vec<(String, Vec<u8>)>;

/// The stream's entries, as Redis says them.
async fn entries(stream: &str) -> Vec<Entry> {
    let mut connection = connect().await;
    let found: Vec<(String, Entry)> = ::redis::cmd("XRANGE").arg(stream).arg("-").arg("+").query_async(&mut connection).await.unwrap();
    found.into_iter().map(|(_, fields)| fields).collect()
}

async fn connect() -> ::redis::aio::MultiplexedConnection {
    ::redis::Client::open(testkit::redis::url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

fn field(entry: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    entry.iter().find(|(known, _)| known == name).map(|(_, value)| String::from_utf8(value.clone()).unwrap())
}

fn port() -> u16 {
    testkit::redis::url().rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_the_webhook_and_the_stream_is_bounded() {
    let stream = testkit::unique("entries");
    let url = testkit::redis::url();
    let one = One::new(json!({"type": "redis-stream", "url": url, "stream": format!("{stream}:{{type}}"), "maxLength": 10})).await;
    let name = format!("{stream}:lead.created");
    let report = one.attempt(one.event("evt-1", "{\"leadId\":\"1\"}")).await;
    assert!(report.is_delivered() && report.response_body.contains(&b'-'), "{report:?}");
    let found = entries(&name).await;
    assert_is_webhook(&one, "evt-1", field(&found[0], "body").unwrap().as_bytes(), |name| field(&found[0], name));
    // Redis trims whole nodes of some hundred entries.
    for n in 0..400 {
        assert!(one.attempt(one.event(&format!("e-{n}"), "{}")).await.is_delivered());
    }
    assert!(entries(&name).await.len() < 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_told() {
    let (user, stream) = (testkit::unique("user"), testkit::unique("stream"));
    let mut admin = connect().await;
    let rule = format!("~{stream}");
    let _: Value =
        ::redis::cmd("ACL").arg("SETUSER").arg(&user).arg("on").arg(">right").arg(rule).arg("+xadd").query_async(&mut admin).await.unwrap();
    let url = testkit::redis::url();
    let with = |password: &str, stream: &str| {
        One::new(json!({"type": "redis-stream", "url": url, "stream": stream, "username": user, "password": password}))
    };
    let good = with("right", &stream).await;
    let report = good.attempt(good.event("e-1", "{}")).await;
    assert!(report.is_delivered(), "{report:?}");
    let wrong = with("s3cret", &stream).await;
    let report = wrong.attempt(wrong.event("e-2", "{}")).await;
    assert_eq!(failed(&report), "credentials");
    assert!(!format!("{report:?}").contains("s3cret"), "{report:?}");
    let elsewhere = with("right", "elsewhere").await;
    assert_eq!(failed(&elsewhere.attempt(elsewhere.event("e-3", "{}")).await), "credentials");
    // A key of another kind.
    let other = testkit::unique("text");
    let _: Value = ::redis::cmd("SET").arg(&other).arg("x").query_async(&mut admin).await.unwrap();
    let one = One::new(json!({"type": "redis-stream", "url": url, "stream": other})).await;
    assert_eq!(failed(&one.attempt(one.event("e-4", "{}")).await), "rejected");
    assert_eq!(entries(&stream).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_and_events_survive_an_outage() {
    let stream = testkit::unique("outage");
    let mut relay = Relay::start(port());
    let url = format!("redis://127.0.0.1:{}", relay.port());
    let world = World::new(json!({"type": "redis-stream", "url": url, "stream": stream}), true).await;
    world.publish(ids("a", 20).into_iter()).await;
    world.delivered(20).await;
    relay.cut();
    world.publish(ids("b", 20).into_iter()).await;
    world.failed_once().await;
    relay.resume();
    world.delivered(40).await;
    let mut stored: Vec<String> = entries(&stream).await.iter().map(|entry| field(entry, "webhook-id").unwrap()).collect();
    // At least once: a broken connection may have hidden an answer. Streams do not drop repetitions; a reader does, by webhook-id.
    stored.dedup();
    assert_eq!(stored, [ids("a", 20), ids("b", 20)].concat());
}
