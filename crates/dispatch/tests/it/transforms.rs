//! Transforms and thin bodies, from the queue to a real receiver.

use std::sync::Arc;
use std::time::Duration;

use dispatch::http::HttpChannel;
use dispatch::{Dispatch, Policy};
use kernel::Event;
use serde_json::{Value, json};
use testkit::receiver::Receiver;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::{WebhookSecret, verify_legacy, verify_standard};

use crate::bed::{Bed, LIMIT, system};

const LEAD: &[u8] = b"{\"leadId\":\"1\",  \"odd\":1.00}";
/// No second attempt.
fn once() -> Policy {
    Policy { schedule_ms: Vec::new(), ..Policy::default() }
}

async fn start(bed: &Bed) -> Arc<Dispatch> {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let client = Client::new(ClientConfig::new(policy)).unwrap();
    let webhooks = blueprint::load("insurance-leads").unwrap().webhooks;
    let channel = HttpChannel::new(client, &webhooks).unwrap().with_public_url(&webhooks, "https://api.example");
    bed.extra.lock().unwrap().push(Arc::new(channel));
    bed.dispatch().await
}

/// `(error_kind, error)` of every attempt, the earliest first.
async fn faults(bed: &Bed) -> Vec<(Option<String>, Option<String>)> {
    let sql = "SELECT error_kind, error FROM attempts ORDER BY started_at, number, delivery_id";
    bed.store.logs().read(system(), move |tx| tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))).await.unwrap()
}

testkit::engines! {
    /// A tenant's functions that run into their limit keep its own deliveries waiting, not another tenant's: that one has its turn at once,
    /// and shares the processors with one run of the flood. The bound allows for a busy machine; the flood alone would take five seconds and more.
    async fn another_tenants_slow_functions_are_not_waited_for(bed: Bed) {
        let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
        let webhooks = blueprint::load("insurance-leads").unwrap().webhooks;
        let channel = HttpChannel::new(Client::new(ClientConfig::new(policy)).unwrap(), &webhooks).unwrap();
        bed.extra.lock().unwrap().push(Arc::new(channel.with_scripts(script::Engine::threads(4))));
        let dispatch = bed.dispatch().await;
        let receiver = Receiver::start();
        for n in 0..100 {
            bed.destination_on("http", json!({ "url": receiver.url("/slow"), "transform": format!("() => {{ for (;;) {{ {n} }} }}") }), once()).await;
        }
        let other = bed.ambient.id();
        let config = json!({ "url": receiver.url("/other"), "transform": "w => ({ body: 'shaped' })" });
        bed.destination_of(other, "http", config, once()).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        // Not all of them: the first may have been stopped before the last begins.
        bed.wait_in_flight(&dispatch, 60).await;
        let began = std::time::Instant::now();
        bed.emit(vec![Event { tenant: other, ..bed.event(LEAD) }]).await;
        let got = receiver.wait_for(1, LIMIT).await.remove(0);
        let took = began.elapsed();
        assert_eq!((got.path.as_str(), &got.body[..]), ("/other", &b"shaped"[..]));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert!(dispatch.snapshot().in_flight > 20, "the flood is still there: {}", dispatch.snapshot().in_flight);
    }

    /// What the function makes of it is what is signed and sent; what it cannot see or change stays.
    async fn what_is_made_is_signed_and_sent(bed: Bed) {
        let dispatch = start(&bed).await;
        let receiver = Receiver::start();
        let secret = WebhookSecret::generate(&bed.ambient);
        let source = "function handler(webhook) {
          if ('x-api-key' in webhook.headers || 'authorization' in webhook.headers) throw new Error('secrets are not shown');
          webhook.id = 'forged'; webhook.type = 'forged';
          webhook.body = { was: Object.keys(webhook.body), lead: webhook.body.data.leadId, at: Date.now(), kind: webhook.headers['content-type'] };
          webhook.method = 'PATCH';
          webhook.url = webhook.url + '/changed?y=2';
          webhook.headers['X-New'] = 'fresh'; delete webhook.headers['x-gone']; webhook.headers['x-plain'] += '!';
          return webhook;
        }";
        let config = json!({
            "url": receiver.url("/hook"), "method": "PUT", "transform": source, "secrets": [{ "secret": secret.text().reveal() }],
            "headers": { "X-Api-Key": "hush", "X-Plain": "seen", "X-Gone": "g" }, "auth": { "type": "bearer", "token": "tok" },
        });
        let config = dispatch.channel("http").unwrap().check(&config).await.unwrap();
        bed.destination_on("http", config, Policy::default()).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        let got = receiver.wait_for(1, LIMIT).await.remove(0);
        assert_eq!((got.method.as_str(), got.path.as_str()), ("PATCH", "/hook/changed?y=2"));
        let expected = json!({"was": ["id", "eventType", "timestamp", "data", "version"], "lead": "1", "at": bed.ambient.now().millis(), "kind": "application/json"});
        assert_eq!(got.json(), expected);
        let header = |name: &str| got.header(name).map(str::to_owned);
        let now = bed.ambient.now().seconds();
        let signature = header("webhook-signature").unwrap();
        verify_standard(std::slice::from_ref(&secret), "e-0", &header("webhook-timestamp").unwrap(), &signature, &got.body, now, 0).unwrap();
        verify_legacy(secret.text().reveal(), &header("x-webhook-signature").unwrap(), &got.body, now, 0).unwrap();
        for (name, value) in [("webhook-id", Some("e-0")), ("x-webhook-event", Some("lead.created")), ("x-new", Some("fresh")), ("x-gone", None),
            ("x-plain", Some("seen!")), ("x-api-key", Some("hush")), ("authorization", Some("Bearer tok")), ("content-type", Some("application/json"))] {
            assert_eq!(header(name).as_deref(), value, "{name}");
        }
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        let logged: String = bed.store.logs().read(system(), |tx| tx.query_one("SELECT request_headers FROM attempts", &[], |row| row.get(0))).await.unwrap();
        assert!(!logged.contains("fresh") && !logged.contains("seen") && !logged.contains("hush") && logged.contains("x-new"), "{logged}");
    }

    /// What the function leaves alone goes out byte for byte; a text goes out as it is.
    async fn bodies_that_are_left_alone_keep_their_bytes(bed: Bed) {
        let _dispatch = start(&bed).await;
        let receiver = Receiver::start();
        bed.destination_on("http", json!({ "url": receiver.url("/same"), "transform": "w => { w.headers['x-a'] = 1; return w }" }), once()).await;
        let text = "w => ({ body: 'a=1&b=2', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })";
        bed.destination_on("http", json!({ "url": receiver.url("/text"), "transform": text }), once()).await;
        bed.destination_on("http", json!({ "url": receiver.url("/thin"), "content": "thin" }), once()).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        let mut all = receiver.wait_for(3, LIMIT).await;
        all.sort_by(|a, b| a.path.cmp(&b.path));
        let whole = r#"{"id":"e-0","eventType":"lead.created","timestamp":"2026-03-01T00:00:00.000Z","data":{"leadId":"1",  "odd":1.00},"version":"1.0"}"#;
        let thin = r#"{"id":"e-0","eventType":"lead.created","timestamp":"2026-03-01T00:00:00.000Z","url":"https://api.example/api/v1/events/e-0","version":"1.0"}"#;
        let bodies: Vec<&str> = all.iter().map(|got| std::str::from_utf8(&got.body).unwrap()).collect();
        assert_eq!(bodies, [whole, "a=1&b=2", thin]);
        assert_eq!((all[0].header("x-a"), all[1].header("content-type")), (Some("1"), Some("application/x-www-form-urlencoded")));
        bed.wait_ended("delivered", 3).await;
    }

    async fn a_cancelled_delivery_is_skipped(bed: Bed) {
        let dispatch = start(&bed).await;
        let receiver = Receiver::start();
        bed.destination_on("http", json!({ "url": receiver.url("/"), "transform": "w => ({ cancel: w.body.data.leadId === '1' })" }), Policy::default()).await;
        bed.emit(vec![bed.event(LEAD), bed.event(br#"{"leadId":"2"}"#)]).await;
        bed.wait_ended("cancelled", 1).await;
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(receiver.count(), 1);
        let sql = "SELECT status || '/' || attempt_count FROM deliveries WHERE reason = 'cancelled'";
        let ended: String = bed.store.read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(ended, "skipped/1");
        // It is in the log, and in no rate: only the other one is counted.
        let sql = "SELECT SUM(attempts) || '/' || SUM(succeeded) FROM attempt_rollups";
        let counted: String = bed.store.logs().read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
        assert_eq!((counted.as_str(), bed.attempts_logged().await), ("1/1", 2));
        assert_eq!(dispatch.snapshot().broken, 0);
    }

    /// A failing function is a visible attempt that says where, follows the policy, and says nothing about the receiver.
    async fn a_failing_function_is_a_visible_attempt(bed: Bed) {
        let dispatch = start(&bed).await;
        let receiver = Receiver::start();
        let source = "function handler(webhook) {\n  const lead = webhook.body.data;\n  return lead.missing.name;\n}";
        let config = json!({ "url": receiver.url("/"), "transform": source });
        let id = bed.destination_on("http", config, Policy { schedule_ms: vec![60_000], ..Policy::default() }).await;
        bed.emit((0..15).map(|_| bed.event(LEAD)).collect()).await;
        testkit::wait::until("15 attempts", LIMIT, || async { (bed.attempts_logged().await == 15).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((dispatch.snapshot().broken, bed.queued().await, receiver.count()), (0, 15, 0), "the breaker is not concerned");
        let (kind, text) = faults(&bed).await.remove(0);
        let text = text.unwrap();
        assert!(kind.as_deref() == Some("transform") && text.starts_with("TypeError: ") && text.contains("(line 3, column "), "{kind:?} {text}");
        // Mended, it serves what waits.
        let tenant = bed.tenant;
        let change = dispatch::destinations::DestinationUpdate { config: Some(json!({ "url": receiver.url("/"), "transform": "w => w" })), policy: None };
        bed.store.write(system(), move |tx| dispatch::destinations::update(tx, tenant, id, change)).await.unwrap();
        bed.clock.advance(Duration::from_secs(70));
        dispatch.poke();
        receiver.wait_for(15, LIMIT).await;
        bed.wait_ended("delivered", 15).await;
    }

    /// Results that cannot be sent, hostile functions among them: an attempt each, without a request.
    async fn what_cannot_be_sent_is_not(bed: Bed) {
        let dispatch = start(&bed).await;
        let receiver = Receiver::start();
        let cases: [(&str, &str, &str); 12] = [
            ("w => ({ url: 'http://10.0.0.1/' })", "refused", "not allowed"),
            ("w => ({ url: 'ftp://example.com/' })", "transform", "url"),
            ("w => ({ url: 'http://user@127.0.0.1/' })", "transform", "url"),
            ("w => ({ method: 'DELETE' })", "transform", "method must be POST, PUT or PATCH"),
            ("w => ({ headers: { 'Webhook-Id': 'forged' } })", "transform", "webhook-id is set by us"),
            ("w => ({ headers: { 'X-Webhook-Signature': 'forged' } })", "transform", "is set by us"),
            ("w => ({ headers: { Host: 'other' } })", "transform", "host is set by us"),
            ("w => ({ headers: { Authorization: 'forged' } })", "transform", "authorization is set by us"),
            ("w => ({ headers: { 'X-A': 'a\\r\\nHost: b' } })", "transform", "cannot be sent"),
            ("w => ({ headers: { 'bad name': 'a' } })", "transform", "is not a header name"),
            ("w => ({ headers: { 'X-A': {} } })", "transform", "must be a text"),
            ("w => { for (;;) {} }", "transform", "more than 100 ms"),
        ];
        let mut ids = Vec::new();
        for (source, ..) in cases {
            let config = json!({ "url": receiver.url("/"), "transform": source, "auth": { "type": "basic", "username": "u", "password": "p" } });
            ids.push(bed.destination_on("http", config, once()).await);
        }
        bed.emit(vec![bed.event(LEAD)]).await;
        bed.wait_ended("exhausted", 12).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(receiver.count(), 0);
        for (id, (source, kind, part)) in ids.into_iter().zip(cases) {
            let sql = "SELECT error_kind, error FROM attempts WHERE destination_id = ?1";
            let found: (String, String) = bed.store.logs().read(system(), move |tx| tx.query_one(sql, &[id.into()], |row| Ok((row.get(0)?, row.get(1)?)))).await.unwrap();
            assert!(found.0 == kind && found.1.contains(part), "{source}: {found:?}");
        }
    }

    /// What is no function is refused when it is set, with its line.
    async fn a_source_is_checked_when_it_is_set(bed: Bed) {
        let dispatch = start(&bed).await;
        let channel = dispatch.channel("http").unwrap();
        for (source, part) in [("function handler(w) {\n  return w +;\n}", "line 2"), ("const x = 1", "handler"), ("", "handler"), ("throw new Error('at once')", "at once")] {
            let error = channel.check(&json!({ "url": "http://127.0.0.1:9/", "transform": source })).await.unwrap_err();
            let field = &error.fields()[0];
            assert_eq!((error.code(), field.pointer.as_str()), ("invalid_transform", "/transform"), "{source}");
            assert!(field.detail.contains(part), "{source}: {field:?}");
        }
        let config = json!({ "url": "http://127.0.0.1:9/", "content": "thin", "transform": "w => w" });
        let stored = channel.check(&config).await.unwrap();
        assert_eq!((&stored["content"], &stored["transform"]), (&json!("thin"), &json!("w => w")));
        let plain = channel.check(&json!({ "url": "http://127.0.0.1:9/" })).await.unwrap();
        assert_eq!((plain.get("content"), plain.get("transform")), (None::<&Value>, None), "old configurations stay as they are");
        assert!(channel.check(&json!({ "url": "http://127.0.0.1:9/", "content": "little" })).await.is_err());
    }
}
