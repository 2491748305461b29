//! Webhooks that shape what they send, and the preview.

use std::sync::Arc;

use dispatch::deliveries::Status;
use kernel::{Caller, Credential, PageRequest, Permission};
use serde_json::{Value, json};
use testkit::receiver::Receiver;
use web::signature::{WebhookSecret, verify_standard};
use webhooks::{DeliveryQuery, Preview, PreviewInput, WebhookPatch};

use crate::bed::{Bed, SOON, input};

const SHAPE: &str = "function handler(webhook) {\n  webhook.body = { lead: webhook.body.data.leadId };\n  return webhook;\n}";

fn patch(body: Value) -> WebhookPatch {
    serde_json::from_value(body).unwrap()
}

async fn preview(bed: &Bed, body: Value) -> kernel::Result<Preview> {
    let input: PreviewInput = serde_json::from_value(body).unwrap();
    bed.webhooks.preview_transform(&bed.caller(), input).await
}

async fn ended(bed: &Bed, status: Status) -> Value {
    let row = testkit::wait::until("a delivery to end", SOON, async || {
        let query = DeliveryQuery { status: Some(status), ..DeliveryQuery::default() };
        bed.webhooks.deliveries(&bed.caller(), None, query, PageRequest::default()).await.unwrap().data.pop()
    });
    serde_json::to_value(row.await).unwrap()
}

testkit::engines! {
    /// Set by POST, shown, taken over by PUT, taken away by null.
    async fn a_transform_is_a_setting(bed: Bed) {
        let receiver = Receiver::start();
        let body = json!({"url": receiver.url("/"), "events": ["*"], "transform": SHAPE, "content": "full"});
        let made = bed.create(body.clone()).await.unwrap();
        assert_eq!((made.transform.as_deref(), serde_json::to_value(made.content).unwrap()), (Some(SHAPE), json!("full")));
        bed.publish("lead.created", json!({"id": "e1"})).await;
        let got = receiver.wait_for(1, SOON).await.remove(0);
        assert_eq!(got.json(), json!({"lead": "1"}));
        let header = |name: &str| got.header(name).unwrap();
        let (secret, now) = (WebhookSecret::parse(&made.secret.unwrap()).unwrap(), bed.ambient.now().seconds());
        verify_standard(&[secret], header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), &got.body, now, 60).unwrap();

        let patched = bed.webhooks.update(&bed.caller(), made.id.into(), patch(json!({"content": "thin", "transform": null}))).await.unwrap();
        assert_eq!((patched.transform, serde_json::to_value(patched.content).unwrap()), (None, json!("thin")));
        bed.publish("lead.created", json!({"id": "e2"})).await;
        let thin = receiver.wait_for(2, SOON).await.remove(1).json();
        assert_eq!((thin.get("data"), &thin["url"], &thin["eventType"]), (None, &json!("/api/v1/events/e2"), &json!("lead.created")));

        let error = bed.webhooks.update(&bed.caller(), made.id.into(), patch(json!({"transform": "w => {\n  oh no\n}"}))).await.unwrap_err();
        assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("invalid_transform", "/transform"));
        assert!(error.fields()[0].detail.contains("line 2"), "{error:?}");
        let replaced = bed.webhooks.replace(&bed.caller(), made.id.into(), input(body)).await.unwrap();
        assert_eq!((replaced.transform.as_deref(), serde_json::to_value(replaced.content).unwrap()), (Some(SHAPE), json!("full")));
        let read = bed.webhooks.get(&bed.caller(), made.id.into()).await.unwrap();
        assert_eq!(read.transform.as_deref(), Some(SHAPE));
    }

    /// A cancelled delivery is skipped with its reason, and not among what was not delivered; a failing one shows where.
    async fn ends_are_told(bed: Bed) {
        let receiver = Receiver::start();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"], "transform": "w => ({ cancel: true })"})).await.unwrap();
        bed.publish("lead.created", json!({})).await;
        let skipped = ended(&bed, Status::Skipped).await;
        assert_eq!((&skipped["status"], &skipped["reason"]), (&json!("skipped"), &json!("cancelled")));
        let change = patch(json!({"transform": "w => {\n  throw new Error('broken');\n}", "retryConfig": {"maxRetries": 0}}));
        bed.webhooks.update(&bed.caller(), made.id.into(), change).await.unwrap();
        bed.publish("lead.created", json!({})).await;
        let failed = ended(&bed, Status::Failed).await;
        assert_eq!((&failed["reason"], &failed["attemptCount"]), (&json!("exhausted"), &json!(1)));
        let id = failed["id"].as_str().unwrap().parse().unwrap();
        let attempts = testkit::wait::until("the attempt's log row", SOON, async || {
            Some(bed.webhooks.attempts(&bed.caller(), id).await.unwrap()).filter(|attempts| !attempts.is_empty())
        });
        let attempt = serde_json::to_value(&attempts.await[0]).unwrap();
        assert_eq!((&attempt["errorKind"], &attempt["statusCode"]), (&json!("transform"), &Value::Null), "{attempt}");
        assert!(attempt["error"].as_str().unwrap().starts_with("Error: broken (line 2, column "), "{attempt}");
        assert_eq!(receiver.count(), 0);
    }

    async fn a_test_delivery_is_shaped_too(bed: Bed) {
        let receiver = Receiver::start();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"], "transform": "w => ({ body: { of: w.type } })"})).await.unwrap();
        let result = bed.webhooks.test(&bed.caller(), made.id.into()).await.unwrap();
        assert!(result.success);
        assert_eq!(receiver.wait_for(1, SOON).await.remove(0).json(), json!({"of": "test.webhook"}));
        for (source, part) in [("w => ({ cancel: true })", "cancelled"), ("w => { throw new Error('no') }", "Error: no (line 1")] {
            bed.webhooks.update(&bed.caller(), made.id.into(), patch(json!({"transform": source}))).await.unwrap();
            let result = bed.webhooks.test(&bed.caller(), made.id.into()).await.unwrap();
            assert!(!result.success && result.response_code.is_none() && result.error.as_ref().unwrap().contains(part), "{result:?}");
        }
        assert_eq!(receiver.count(), 1);
    }

    /// Tried without sending: a result, a cancellation, a fault; on an event that is given, or the product's own.
    async fn a_preview_sends_nothing(bed: Bed) {
        let event = json!({"type": "lead.created", "id": "e-7", "timestamp": "2026-01-02T03:04:05.000Z", "data": {"leadId": "7"}});
        let source = "w => { w.headers['x-b'] = 'new'; w.body = [w.id, w.timestamp, w.body.data.leadId, w.headers['x-a'], Date.now()]; return w }";
        let body = json!({"transform": source, "event": event, "url": "https://example.com/hook", "httpMethod": "PUT", "customHeaders": {"X-A": "open", "X-Token": "hush"}});
        let done = serde_json::to_value(preview(&bed, body).await.unwrap()).unwrap();
        assert_eq!((&done["success"], &done["cancelled"], &done["error"]), (&json!(true), &json!(false), &Value::Null), "{done}");
        let request = &done["request"];
        assert_eq!((&request["method"], &request["url"]), (&json!("PUT"), &json!("https://example.com/hook")));
        assert_eq!(request["body"], json!(["e-7", "2026-01-02T03:04:05.000Z", "7", "open", 1_767_323_045_000_i64]));
        assert_eq!((&request["headers"]["x-b"], &request["headers"]["x-token"]), (&json!("***"), &json!("***")));
        assert!(!done.to_string().contains("hush"));

        let cancelled = preview(&bed, json!({"transform": "w => ({ cancel: true })"})).await.unwrap();
        assert!(cancelled.success && cancelled.cancelled && cancelled.request.is_none());
        for (source, line) in [("w => {\n  throw new Error('x') }", Some(2)), ("w => {\n\n  oh no }", Some(3)), ("1", None), ("w => { for (;;) {} }", None)] {
            let failed = preview(&bed, json!({"transform": source})).await.unwrap();
            let fault = failed.error.unwrap();
            assert!(!failed.success && failed.request.is_none() && fault.line == line, "{source}: {fault:?}");
        }
        let long = preview(&bed, json!({"transform": "x".repeat(100_000)})).await.unwrap();
        assert!(long.error.unwrap().message.contains("64 KB"));
        let own = preview(&bed, json!({"transform": "w => ({ body: w.type })"})).await.unwrap();
        assert_eq!(own.request.unwrap().body, json!("test.webhook"));
        for (wrong, pointer) in [
            (json!({"url": "http://10.0.0.1/"}), "/url"), (json!({"httpMethod": "GET"}), "/httpMethod"), (json!({"customHeaders": {"Host": "x"}}), "/customHeaders/Host"),
            (json!({"event": {"type": "no good", "data": {}}}), "/event/type"), (json!({"event": {"type": "a.b", "data": {}, "id": "no good"}}), "/event/id"),
        ] {
            let mut body = json!({"transform": "w => w"});
            body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
            let error = preview(&bed, body).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, pointer, "{error:?}");
        }
        let credential = Credential::Key { key: bed.ambient.id(), client: bed.client };
        let reader = Caller::new(credential, Some(bed.tenant), Arc::from([]), [Permission::WebhooksRead].into_iter().collect());
        let input: PreviewInput = serde_json::from_value(json!({"transform": "w => w"})).unwrap();
        assert_eq!(bed.webhooks.preview_transform(&reader, input).await.unwrap_err().kind(), kernel::Kind::Forbidden);
    }

    /// A secret header is shown nowhere, is kept when the mask comes back in any case of letters, and cannot be read by a function.
    async fn secret_headers_stay_secret(bed: Bed) {
        let receiver = Receiver::start();
        let headers = json!({"X-Api-Key": "hush-1", "X-Custom": "Bearer hush-2", "X-Session-Cookie": "hush-3", "X-Passphrase": "hush-4", "X-Plain": "seen"});
        let transform = "w => { w.body = Object.keys(w.headers).sort(); return w }";
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"], "customHeaders": headers, "transform": transform})).await.unwrap();
        let shown = serde_json::to_string(&made).unwrap();
        assert!(!shown.contains("hush") && shown.contains("seen"), "{shown}");
        let back = json!({"x-api-key": "***", "X-CUSTOM": "***", "X-Session-Cookie": "***", "X-Passphrase": "***", "X-Plain": "changed"});
        bed.webhooks.update(&bed.caller(), made.id.into(), patch(json!({"customHeaders": back}))).await.unwrap();
        bed.publish("lead.created", json!({})).await;
        let got = receiver.wait_for(1, SOON).await.remove(0);
        for (name, value) in [("x-api-key", "hush-1"), ("x-custom", "Bearer hush-2"), ("x-session-cookie", "hush-3"), ("x-passphrase", "hush-4"), ("x-plain", "changed")] {
            assert_eq!(got.header(name), Some(value), "{name}");
        }
        assert_eq!(got.json(), json!(["content-type", "x-plain"]));
    }
}
