//! The HTTP channel against a real receiver.

use std::sync::Arc;

use dispatch::Policy;
use dispatch::http::HttpChannel;
use serde_json::json;
use testkit::receiver::{Answer, Receiver};
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::{WebhookSecret, verify_legacy, verify_standard};

use crate::bed::{Bed, LIMIT};

const LEAD: &[u8] = b"{\"leadId\":\"1\",  \"odd\":1.00}";

pub(crate) fn policy() -> UrlPolicy {
    UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] }
}

pub(crate) fn client() -> Client {
    Client::new(ClientConfig::new(policy())).unwrap()
}

pub(crate) fn channel(blueprint: &str) -> Arc<HttpChannel> {
    Arc::new(HttpChannel::new(client(), &blueprint::load(blueprint).unwrap().webhooks).unwrap())
}

/// What went wrong in attempts that failed, sorted.
pub(crate) async fn kinds(bed: &Bed) -> Vec<String> {
    let sql = "SELECT error_kind FROM attempts WHERE error_kind IS NOT NULL ORDER BY error_kind";
    bed.store.logs().read(crate::bed::system(), move |tx| tx.query(sql, &[], |row| row.get(0))).await.unwrap()
}

testkit::engines! {
    async fn signs_as_the_blueprint_says(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let receiver = Receiver::start();
        let (new, old, expired) = (WebhookSecret::generate(&bed.ambient), WebhookSecret::generate(&bed.ambient), WebhookSecret::generate(&bed.ambient));
        let text = |secret: &WebhookSecret| secret.text().reveal().clone();
        let config = json!({
            "url": receiver.url("/hook?x=1"),
            "method": "PUT",
            "headers": { "X-Api-Key": "hush", "X-Plain": "seen" },
            "auth": { "type": "bearer", "token": "tok" },
            "secrets": [{ "secret": text(&new) }, { "secret": text(&old), "expiresAt": "2027-01-01T00:00:00Z" }, { "secret": text(&expired), "expiresAt": "2020-01-01T00:00:00Z" }],
        });
        let config = dispatch.channel("http").unwrap().check(&config).await.unwrap();
        bed.destination_on("http", config, Policy::default()).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        let got = receiver.wait_for(1, LIMIT).await.remove(0);
        assert_eq!((got.method.as_str(), got.path.as_str()), ("PUT", "/hook?x=1"));
        let expected = r#"{"id":"e-0","eventType":"lead.created","timestamp":"2026-03-01T00:00:00.000Z","data":{"leadId":"1",  "odd":1.00},"version":"1.0"}"#;
        assert_eq!(got.body, expected.as_bytes());
        let now = bed.ambient.now().seconds();
        let header = |name: &str| got.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned();
        let signatures = header("webhook-signature");
        assert_eq!(signatures.split(' ').count(), 2);
        for secret in [&new, &old] {
            verify_standard(std::slice::from_ref(secret), "e-0", &header("webhook-timestamp"), &signatures, &got.body, now, 0).unwrap();
            verify_legacy(secret.text().reveal(), &header("X-Webhook-Signature"), &got.body, now, 0).unwrap();
        }
        for (name, value) in [
            ("webhook-id", "e-0"),
            ("webhook-sequence", "1"),
            ("X-Webhook-Id", "e-0"),
            ("X-Webhook-Event", "lead.created"),
            ("X-Webhook-Timestamp", "2026-03-01T00:00:00.000Z"),
            ("content-type", "application/json"),
            ("authorization", "Bearer tok"),
            ("x-api-key", "hush"),
            ("x-plain", "seen"),
        ] {
            assert_eq!(header(name), value, "{name}");
        }
        assert!(header("user-agent").starts_with("Tradewind/"));
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        let logged: String = bed.store.logs().read(crate::bed::system(), |tx| tx.query_one("SELECT request_headers FROM attempts", &[], |row| row.get(0))).await.unwrap();
        assert!(!logged.contains("hush") && !logged.contains("tok\"") && !logged.contains("seen") && logged.contains("x-plain") && logged.contains("v1,"), "{logged}");
        let bare: String = bed.store.read(crate::bed::system(), |tx| tx.query_one("SELECT config FROM destinations", &[], |row| row.get::<Vec<u8>>(0))).await
            .map(|sealed| String::from_utf8_lossy(&sealed).into_owned()).unwrap();
        assert!(!bare.contains("whsec_"));
    }

    async fn honours_retry_after(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("contractor-network"));
        let dispatch = bed.dispatch().await;
        let receiver = Receiver::start();
        receiver.script([Answer::status(503).header("Retry-After", "120").body("later"), Answer::status(429).header("Retry-After", "Sun, 01 Mar 2026 01:00:00 GMT")]);
        bed.destination_on("http", json!({ "url": receiver.url("/") }), Policy::default()).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        receiver.wait_for(1, LIMIT).await;
        let start = bed.ambient.now();
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.number("SELECT due_at FROM queue").await, start.millis() + 120_000);
        bed.clock.advance(std::time::Duration::from_secs(120));
        dispatch.poke();
        receiver.wait_for(2, LIMIT).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.number("SELECT due_at FROM queue").await, start.millis() + 3_600_000);
        bed.clock.advance(std::time::Duration::from_secs(3480));
        dispatch.poke();
        let all = receiver.wait_for(3, LIMIT).await;
        bed.wait_ended("delivered", 1).await;
        // This product sends the bare payload, and the event's type in a header of its own.
        assert!(all.iter().all(|got| got.body == LEAD && got.header("X-TPX-Event") == Some("lead.created") && got.header("webhook-id") == Some("e-0")));
    }

    async fn redirects_and_dead_ports_are_failures(bed: Bed) {
        bed.extra.lock().unwrap().push(channel("insurance-leads"));
        let dispatch = bed.dispatch().await;
        let receiver = Receiver::start();
        receiver.answer(Answer::status(302).header("Location", &receiver.url("/elsewhere")));
        let mut away = Receiver::start();
        away.stop();
        let policy = Policy { schedule_ms: Vec::new(), ..Policy::default() };
        let config = |url: String| json!({ "url": url });
        bed.destination_on("http", config(receiver.url("/")), policy.clone()).await;
        bed.destination_on("http", config(away.url("/")), policy.clone()).await;
        bed.destination_on("http", config("http://10.0.0.1/".to_owned()), policy).await;
        bed.emit(vec![bed.event(LEAD)]).await;
        bed.wait_ended("exhausted", 3).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(receiver.count(), 1);
        let kinds: Vec<String> = bed.store.logs().read(crate::bed::system(), |tx| tx.query("SELECT error_kind FROM attempts ORDER BY error_kind", &[], |row| row.get(0))).await.unwrap();
        assert_eq!(kinds, ["connect", "refused", "status"]);
        let refused = dispatch.channel("http").unwrap().check(&json!({ "url": "http://10.0.0.1/" })).await.unwrap_err();
        assert_eq!(refused.code(), "url_address");
    }
}
