//! From publishing to a real receiver, and what is shown of it.

use dispatch::deliveries::{Delivery, Status};
use kernel::{Kind, PageRequest};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Gate, Received, Receiver};
use web::signature::{WebhookSecret, verify_legacy, verify_standard};
use webhooks::{DeliveryQuery, DeliveryView, RotateSecret, Undelivered};

use crate::bed::{Bed, SOON};

#[track_caller]
fn verify(bed: &Bed, request: &Received, secret: &str) {
    let header = |name: &str| request.header(name).unwrap_or_else(|| panic!("{name} is missing: {request:?}"));
    let now = bed.ambient.now().seconds();
    let parsed = WebhookSecret::parse(secret).unwrap();
    verify_standard(&[parsed], header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), &request.body, now, 60)
        .unwrap();
}

async fn delivered(bed: &Bed, status: Status, count: usize) -> Vec<DeliveryView> {
    testkit::wait::until("the deliveries to end", SOON, async || {
        let query = DeliveryQuery { status: Some(status), ..DeliveryQuery::default() };
        let page = bed.webhooks.deliveries(&bed.caller(), None, query, PageRequest::default()).await.unwrap();
        (page.data.len() == count).then_some(page.data)
    })
    .await
}

fn ended(row: &Undelivered) -> Delivery {
    match row {
        Undelivered::Ended(row) => row.delivery.clone(),
        Undelivered::Never(pair) => panic!("{pair:?} is no delivery"),
    }
}

testkit::engines! {
    /// One customer's events one after another, another customer's beside them; what has no customer is a line of its own. A replay of what was
    /// never delivered stands in the same lines.
    async fn order_goes_by_a_path_of_the_webhook(bed: Bed) {
        let receiver = Receiver::start();
        let gate = Gate::closed();
        receiver.script([Answer::status(200).held(&gate)]);
        let body = json!({"url": receiver.url("/"), "events": ["*"], "orderingKeyPath": "data.customer.id"});
        let made = bed.create(body).await.unwrap();
        assert!(made.ordered);
        let publish = async |id: &str, customer: Value| {
            let data = json!({"leadId": "1", "customer": {"id": customer}});
            bed.publish("lead.created", json!({"id": id, "data": data, "orderingKey": "one for all"})).await;
        };
        publish("a1", json!(17)).await;
        receiver.wait_for(1, SOON).await;
        for (id, customer) in [("a2", json!(17)), ("a3", json!(17)), ("b1", json!("b")), ("n1", Value::Null)] {
            publish(id, customer).await;
        }
        let ids = |all: Vec<Received>| -> Vec<String> { all.iter().map(|one| one.header("webhook-id").unwrap().to_owned()).collect() };
        let mut first = ids(receiver.wait_for(3, SOON).await);
        first.sort();
        assert_eq!(first, ["a1", "b1", "n1"], "a2 and a3 wait for a1");
        assert_eq!(delivered(&bed, Status::Pending, 3).await.len(), 3);
        gate.open();
        let all = ids(receiver.wait_for(5, SOON).await);
        let at = |id: &str| all.iter().position(|one| one == id).unwrap();
        assert!(at("a1") < at("a2") && at("a2") < at("a3"), "{all:?}");
        delivered(&bed, Status::Delivered, 5).await;
        let sql = "SELECT event_id || '=' || ordering_key FROM deliveries ORDER BY event_id";
        let keys = || bed.store.read(kernel::Scope::system("test"), move |tx| tx.query::<String>(sql, &[], |row| row.get(0)));
        assert_eq!(keys().await.unwrap(), ["a1=17", "a2=17", "a3=17", "b1=b", "n1="]);
        // Another webhook, made later, gets an old event by the key that its own path finds.
        let later = bed.create(json!({"url": receiver.url("/later"), "events": ["quote.*"], "orderingKeyPath": "data.leadId"})).await.unwrap();
        let again = webhooks::ReplayEvent { webhook_id: Some(later.id) };
        bed.webhooks.replay_event(&bed.caller(), "b1".parse().unwrap(), again).await.unwrap();
        delivered(&bed, Status::Delivered, 6).await;
        assert!(keys().await.unwrap().contains(&"b1=1".to_owned()));
    }

    /// Signed in both forms, in the product's body, data byte for byte; then in the log with its attempt.
    async fn arrives_signed_and_is_shown(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(200).body("thanks"));
        let body = json!({"url": receiver.url("/hook?x=1"), "events": ["lead.*"], "customHeaders": {"X-Mine": "1"}, "auth": {"type": "bearer", "token": "t0k"}});
        let made = bed.create(body).await.unwrap();
        let secret = made.secret.clone().unwrap();
        let data = "{ \"leadId\":\"\\u0041\", \"n\" : 1.50 }";
        let raw = format!("{{\"type\":\"lead.created\",\"id\":\"evt-1\",\"data\":{data}}}");
        let answer = bed.events.publish(&bed.caller(), serde_json::from_str(&raw).unwrap()).await.unwrap();
        assert_eq!(answer.deliveries, 1);
        let request = receiver.wait_for(1, SOON).await.remove(0);
        verify(&bed, &request, &secret);
        verify_legacy(&secret, request.header("x-webhook-signature").unwrap(), &request.body, bed.ambient.now().seconds(), 60).unwrap();
        assert_eq!(request.path, "/hook?x=1");
        assert_eq!((request.header("webhook-id"), request.header("x-webhook-id")), (Some("evt-1"), Some("evt-1")));
        assert_eq!((request.header("x-webhook-event"), request.header("x-mine")), (Some("lead.created"), Some("1")));
        assert_eq!(request.header("authorization"), Some("Bearer t0k"));
        let text = std::str::from_utf8(&request.body).unwrap();
        assert!(text.contains(&format!("\"data\":{data}")) && text.ends_with(",\"version\":\"1.0\"}"), "{text}");
        let row = delivered(&bed, Status::Delivered, 1).await.remove(0);
        let view = serde_json::to_value(&row).unwrap();
        assert_eq!((&view["eventId"], &view["eventType"], &view["webhookId"]), (&json!("evt-1"), &json!("lead.created"), &json!(made.id)));
        assert_eq!((&view["responseCode"], &view["responseBody"], &view["attemptCount"]), (&json!(200), &json!("thanks"), &json!(1)));
        assert!(view["deliveredAt"].is_string() && view["scheduledFor"].is_string() && view["nextRetryAt"].is_null());
        assert_eq!(row.payload.as_ref().unwrap().get(), data);
        let one = bed.webhooks.delivery(&bed.caller(), row.delivery.id).await.unwrap();
        assert_eq!(one.delivery, row.delivery);
        let attempts = testkit::wait::until("the attempt's log row", SOON, async || {
            Some(bed.webhooks.attempts(&bed.caller(), row.delivery.id).await.unwrap()).filter(|attempts| !attempts.is_empty())
        });
        let attempts = attempts.await;
        assert_eq!((attempts.len(), attempts[0].status_code), (1, Some(200)));
        assert!(!serde_json::to_string(&attempts).unwrap().contains("t0k"), "credentials are masked in the log");
        for error in [
            bed.webhooks.delivery(&bed.stranger, row.delivery.id).await.map(|_| ()).unwrap_err(),
            bed.webhooks.attempts(&bed.stranger, row.delivery.id).await.map(|_| ()).unwrap_err(),
            bed.webhooks.retry(&bed.stranger, row.delivery.id).await.map(|_| ()).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::NotFound);
        }
        let theirs = bed.webhooks.deliveries(&bed.stranger, None, DeliveryQuery::default(), PageRequest::default()).await.unwrap();
        assert!(theirs.data.is_empty());
    }

    /// During the overlap both secrets verify; without one only the new.
    async fn rotation_overlaps(bed: Bed) {
        let receiver = Receiver::start();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"]})).await.unwrap();
        let old = made.secret.clone().unwrap();
        let rotated = bed.webhooks.rotate_secret(&bed.caller(), made.id.into(), RotateSecret { overlap_seconds: Some(3600) }).await.unwrap();
        assert_ne!(rotated.secret, old);
        bed.publish("lead.created", json!({})).await;
        let both = receiver.wait_for(1, SOON).await.remove(0);
        verify(&bed, &both, &old);
        verify(&bed, &both, &rotated.secret);
        let newest = bed.webhooks.rotate_secret(&bed.caller(), made.id.into(), RotateSecret { overlap_seconds: Some(0) }).await.unwrap();
        bed.publish("lead.created", json!({})).await;
        let single = receiver.wait_for(2, SOON).await.remove(1);
        verify(&bed, &single, &newest.secret);
        assert_eq!(single.header("webhook-signature").unwrap().split(' ').count(), 1);
        let error = bed.webhooks.rotate_secret(&bed.caller(), made.id.into(), RotateSecret { overlap_seconds: Some(u64::MAX) }).await;
        assert_eq!(error.unwrap_err().fields()[0].pointer, "/overlapSeconds");
    }

    /// A test delivery arrives at once, whatever the webhook listens to and though it is disabled.
    async fn test_delivery(bed: Bed) {
        let receiver = Receiver::start();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["quote.sent"], "enabled": false})).await.unwrap();
        let result = bed.webhooks.test(&bed.caller(), made.id.into()).await.unwrap();
        assert_eq!((result.success, result.response_code), (true, Some(204)));
        let request = receiver.wait_for(1, SOON).await.remove(0);
        verify(&bed, &request, &made.secret.unwrap());
        assert_eq!(request.json()["eventType"], "test.webhook");
        receiver.answer(Answer::status(500).body("broken"));
        let result = bed.webhooks.test(&bed.caller(), made.id.into()).await.unwrap();
        assert_eq!((result.success, result.response_code, result.response_body.as_deref()), (false, Some(500), Some("broken")));
        assert!(bed.webhooks.delivery(&bed.caller(), result.delivery_id).await.unwrap().payload.is_none(), "a test event is not kept");
        assert!(bed.audited().await.contains(&"subscription.test".to_owned()));
    }

    /// What did not arrive is listed with its reason, and arrives when it is tried again by hand.
    async fn undelivered_and_retry(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500));
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"], "retryConfig": {"maxRetries": 0}})).await.unwrap();
        for n in 0..3 {
            bed.publish("lead.created", json!({"id": format!("e{n}")})).await;
        }
        delivered(&bed, Status::Failed, 3).await;
        let mut page = PageRequest { limit: 2, ..PageRequest::default() };
        let first = bed.webhooks.undelivered(&bed.caller(), DeliveryQuery::default(), page.clone()).await.unwrap();
        let shown = ended(&first.data[0]);
        assert_eq!((first.data.len(), shown.reason.as_deref()), (2, Some("exhausted")));
        page.cursor = Some(kernel::Cursor::decode(&first.pagination.next_cursor.unwrap()).unwrap());
        let rest = bed.webhooks.undelivered(&bed.caller(), DeliveryQuery::default(), page).await.unwrap();
        assert_eq!((rest.data.len(), rest.pagination.next_cursor), (1, None));
        receiver.answer(Answer::status(204));
        let again = bed.webhooks.retry(&bed.caller(), shown.id).await.unwrap();
        assert_eq!(again.status, Status::Pending);
        let row = delivered(&bed, Status::Delivered, 1).await.remove(0);
        assert_eq!((row.delivery.id, row.delivery.attempt_count), (again.id, 2));
        assert!(bed.audited().await.contains(&"delivery.retry".to_owned()));
        bed.webhooks.delete(&bed.caller(), made.id.into()).await.unwrap();
        assert_eq!(bed.webhooks.retry(&bed.caller(), again.id).await.unwrap_err().code(), "webhook_disabled");
    }

    /// A receiver that says 410 is not planned for any more, and says so.
    async fn gone_disables(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(410));
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"]})).await.unwrap();
        bed.publish("lead.created", json!({})).await;
        testkit::wait::until("planning to notice", SOON, async || (bed.publish("lead.created", json!({})).await.deliveries == 0).then_some(())).await;
        let view: Value = serde_json::to_value(bed.webhooks.get(&bed.caller(), made.id.into()).await.unwrap()).unwrap();
        assert_eq!((&view["status"], &view["enabled"], &view["statusReason"]), (&json!("disabled"), &json!(false), &json!("gone")));
    }
}
