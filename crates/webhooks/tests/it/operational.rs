//! What Tradewind itself tells: to whom, and that it does not tell for ever.

use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};

use crate::bed::{Bed, SOON};

/// The types and payloads of operational events that were stored, the oldest first.
async fn told(bed: &Bed) -> Vec<(String, Value)> {
    let sql =
        "SELECT event_type, data FROM events WHERE event_type LIKE 'webhook.%' OR event_type LIKE 'delivery.%' ORDER BY created_at, id";
    let read = |row: &store::Row<'_>| Ok((row.get::<String>(0)?, serde_json::from_slice(&row.get::<Vec<u8>>(1)?).unwrap()));
    bed.store.read(kernel::Scope::system("test"), move |tx| tx.query(sql, &[], read)).await.unwrap()
}

testkit::engines! {
    /// A delivery that failed and a webhook that was disabled are told to those that named such events; `*` does not mean them.
    async fn those_that_named_them_are_told(bed: Bed) {
        let (broken, gone, watcher, everything) = (Receiver::start(), Receiver::start(), Receiver::start(), Receiver::start());
        broken.answer(Answer::status(500));
        gone.answer(Answer::status(410));
        let hook = |receiver: &Receiver, kinds: Value| json!({"url": receiver.url("/"), "events": kinds, "retryConfig": {"maxRetries": 0}});
        let failing = bed.create(hook(&broken, json!(["lead.created"]))).await.unwrap();
        let leaving = bed.create(hook(&gone, json!(["lead.updated"]))).await.unwrap();
        bed.create(hook(&watcher, json!(["*", "webhook.*", "delivery.exhausted"]))).await.unwrap();
        bed.create(hook(&everything, json!(["*"]))).await.unwrap();
        bed.publish("lead.created", json!({"id": "one"})).await;
        let seen = watcher.wait_for(2, SOON).await;
        let body = seen.iter().map(testkit::receiver::Received::json).find(|body| body["eventType"] == "delivery.exhausted").unwrap();
        let (data, webhook) = (&body["data"], json!(failing.id));
        assert_eq!((&data["webhookId"], &data["eventId"], &data["reason"], &data["responseCode"]), (&webhook, &json!("one"), &json!("exhausted"), &json!(500)));
        bed.publish("lead.updated", json!({"id": "two"})).await;
        let seen = watcher.wait_for(5, SOON).await;
        let kinds: Vec<String> = seen.iter().map(|request| request.json()["eventType"].as_str().unwrap().to_owned()).collect();
        let disabled = seen.iter().map(testkit::receiver::Received::json).find(|body| body["eventType"] == "webhook.disabled");
        let disabled = disabled.unwrap_or_else(|| panic!("{kinds:?}"));
        assert_eq!((&disabled["data"]["webhookId"], &disabled["data"]["reason"]), (&json!(leaving.id), &json!("gone")));
        everything.wait_for(2, SOON).await;
        assert!(everything.requests().iter().all(|request| request.json()["eventType"].as_str().unwrap().starts_with("lead.")));
    }

    /// Two that report to each other and are both down: each failure of ours is told once, and what fails to be told is not.
    async fn it_does_not_tell_of_its_own_failures(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500));
        for _ in 0..2 {
            let body = json!({"url": receiver.url("/"), "events": ["lead.created", "webhook.*", "delivery.*"], "retryConfig": {"maxRetries": 0}});
            bed.create(body).await.unwrap();
        }
        bed.publish("lead.created", json!({})).await;
        // Two deliveries of the lead fail: two events for two webhooks each, which fail silently.
        receiver.wait_for(6, SOON).await;
        let count = async |sql: &'static str| -> i64 {
            bed.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
        };
        testkit::wait::until("all to end", SOON, async || {
            (count("SELECT COUNT(*) FROM deliveries WHERE status = 'failed'").await == 6 && count("SELECT COUNT(*) FROM queue").await == 0).then_some(())
        })
        .await;
        let told = told(&bed).await;
        assert_eq!(told.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["delivery.exhausted"; 2]);
    }

    /// That nothing arrives is said once, and once that something does again; the cause being one of ours, nothing is said.
    async fn failing_is_said_once(bed: Bed) {
        use dispatch::{Observer as _, Turn};
        let made = bed.create(json!({"url": "http://127.0.0.1:9/", "events": ["lead.created"]})).await.unwrap();
        let (ours, lead): (kernel::EventType, kernel::EventType) = ("webhook.failing".parse().unwrap(), "lead.created".parse().unwrap());
        let since = bed.ambient.now();
        for (turn, cause, expected) in [
            (Turn::Recovered, &lead, 0),
            (Turn::Failing(since), &ours, 0),
            (Turn::Failing(since), &lead, 1),
            (Turn::Failing(since), &lead, 1),
            (Turn::Recovered, &lead, 2),
            (Turn::Recovered, &lead, 2),
            (Turn::Disabled("failing"), &lead, 3),
        ] {
            let (observer, tenant, cause) = (webhooks::OperationalEvents::new(&bed.events), bed.tenant, cause.clone());
            let tell = bed.store.write(kernel::Scope::system("test"), move |tx| observer.turned(tx, tenant, made.id, &turn, Some(&cause)));
            tell.await.unwrap();
            assert_eq!(told(&bed).await.len(), expected);
        }
        let told = told(&bed).await;
        assert_eq!(told.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["webhook.failing", "webhook.recovered", "webhook.disabled"]);
        assert_eq!((&told[0].1["webhookId"], &told[0].1["failingSince"]), (&json!(made.id), &json!(since)));
    }

    /// Their names may be listened to, shown with schema and example, but not published.
    async fn they_are_ours_to_publish(bed: Bed) {
        bed.create(json!({"url": "http://127.0.0.1:9/", "events": ["source.rejected", "event.quarantined"]})).await.unwrap();
        let event = serde_json::from_str(&json!({"type": "webhook.disabled", "data": {}}).to_string()).unwrap();
        assert_eq!(bed.events.publish(&bed.caller(), event).await.unwrap_err().code(), "unknown_event_type");
        let view = bed.events.event_type(&bed.caller(), "webhook.disabled", None).await.unwrap();
        assert!(view.schema["required"].as_array().unwrap().contains(&json!("webhookId")) && view.example["reason"] == "gone");
        let error = bed.create(json!({"url": "http://127.0.0.1:9/", "events": ["webhook.other"]})).await.unwrap_err();
        assert_eq!(error.code(), "unknown_event_type");
    }
}
