//! What a customer did not get, and why; stats; cancelling.

use std::time::Duration;

use dispatch::deliveries::Status;
use kernel::{Cursor, Kind, PageRequest, Timestamp};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use webhooks::{Change, DeliveryQuery, StatsQuery};

use crate::bed::{Bed, SOON};

fn query(body: Value) -> DeliveryQuery {
    serde_json::from_value(body).unwrap()
}

/// Pages of `limit` until the end, as `(event, webhook, reason)`.
async fn undelivered(bed: &Bed, asked: &DeliveryQuery, limit: u32) -> Vec<(String, String, String)> {
    let (mut seen, mut page) = (Vec::new(), PageRequest { limit, ..PageRequest::default() });
    loop {
        let part = bed.webhooks.undelivered(&bed.caller(), asked.clone(), page.clone()).await.unwrap();
        assert!(part.data.len() <= limit as usize);
        for row in serde_json::to_value(&part.data).unwrap().as_array().unwrap() {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            seen.push((text("eventId"), text("webhookId"), text("reason")));
        }
        let Some(next) = part.pagination.next_cursor else { return seen };
        page.cursor = Some(Cursor::decode(&next).unwrap());
    }
}

async fn ended(bed: &Bed, status: Status, count: usize) {
    testkit::wait::until("the deliveries to end", SOON, async || {
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let found =
            bed.webhooks.deliveries(&bed.caller(), None, DeliveryQuery { status: Some(status), ..DeliveryQuery::default() }, page).await;
        (found.unwrap().data.len() == count).then_some(())
    })
    .await;
}

testkit::engines! {
    /// Failed, skipped, filtered and missing: every pair that did not arrive is in one of the lists, once, and the event says the same.
    async fn every_pair_that_did_not_arrive_is_listed_with_its_reason(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500));
        bed.publish("lead.created", json!({"id": "early"})).await;
        let failing = bed.create(json!({"url": receiver.url("/"), "events": ["lead.*"], "retryConfig": {"maxRetries": 0}})).await.unwrap().id;
        let paused = bed.create(json!({"url": receiver.url("/"), "events": ["lead.created"]})).await.unwrap().id;
        bed.webhooks.set_state(&bed.caller(), paused.into(), Change::Pause).await.unwrap();
        let mut picky = Vec::new();
        for _ in 0..3 {
            let body = json!({"url": receiver.url("/"), "events": ["lead.created"], "filter": {"data.status": "LOST"}});
            picky.push(bed.create(body).await.unwrap().id.to_string());
        }
        for n in 0..4 {
            bed.publish("lead.created", json!({"id": format!("e{n}")})).await;
        }
        ended(&bed, Status::Failed, 4).await;
        bed.webhooks.set_state(&bed.caller(), paused.into(), Change::Disable).await.unwrap();
        ended(&bed, Status::Skipped, 4).await;
        let own = |reason: &str, webhook: &str| {
            (0..4).rev().map(|n| (format!("e{n}"), webhook.to_owned(), reason.to_owned())).collect::<Vec<_>>()
        };
        let mut lost = undelivered(&bed, &query(json!({})), 3).await;
        lost.sort();
        let mut expected = [own("exhausted", &failing.to_string()), own("disabled", &paused.to_string())].concat();
        expected.sort();
        assert_eq!(lost, expected);
        assert_eq!(undelivered(&bed, &query(json!({"reason": "disabled"})), 100).await, own("disabled", &paused.to_string()));
        assert_eq!(undelivered(&bed, &query(json!({"status": "failed", "code": 500})), 100).await.len(), 4);
        let filtered = undelivered(&bed, &query(json!({"reason": "filtered"})), 2).await;
        let pairs: Vec<_> =
            (0..4).rev().flat_map(|n| picky.iter().map(move |webhook| (format!("e{n}"), webhook.clone(), "filtered".to_owned()))).collect();
        assert_eq!(filtered, pairs);
        assert_eq!(undelivered(&bed, &query(json!({"reason": "filtered", "webhookId": picky[1]})), 3).await, own("filtered", &picky[1]));
        let missing = query(json!({"reason": "missing", "webhookId": failing}));
        assert_eq!(undelivered(&bed, &missing, 1).await, [("early".to_owned(), failing.to_string(), "missing".to_owned())]);
        let event = serde_json::to_value(bed.events.get(&bed.caller(), "e0".parse().unwrap()).await.unwrap()).unwrap();
        let mut reasons: Vec<&str> = event["pairs"].as_array().unwrap().iter().map(|pair| pair["reason"].as_str().unwrap()).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["disabled", "exhausted", "filtered", "filtered", "filtered"]);
        for (asked, pointer) in [(json!({"reason": "missing"}), "/webhookId"), (json!({"status": "delivered"}), "/status")] {
            let error = bed.webhooks.undelivered(&bed.caller(), query(asked), PageRequest::default()).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, pointer);
        }
        let theirs = bed.webhooks.undelivered(&bed.stranger, missing, PageRequest::default()).await.unwrap_err();
        assert_eq!(theirs.kind(), Kind::NotFound);
    }

    /// Attempts, success and latency by webhook and for all; skipped ones count in no rate.
    async fn stats_are_of_what_was_attempted(bed: Bed) {
        let (good, bad) = (Receiver::start(), Receiver::start());
        bad.answer(Answer::status(500));
        let well = bed.create(json!({"url": good.url("/"), "events": ["*"]})).await.unwrap().id;
        let ill = bed.create(json!({"url": bad.url("/"), "events": ["*"], "retryConfig": {"maxRetries": 0}})).await.unwrap().id;
        let off = bed.create(json!({"url": bad.url("/"), "events": ["*"]})).await.unwrap().id;
        bed.webhooks.set_state(&bed.caller(), off.into(), Change::Pause).await.unwrap();
        for _ in 0..3 {
            bed.publish("lead.created", json!({})).await;
        }
        bed.webhooks.set_state(&bed.caller(), off.into(), Change::Disable).await.unwrap();
        bed.webhooks.test(&bed.caller(), well.into()).await.unwrap();
        let stats = async |path: Option<kernel::DestinationId>| {
            bed.webhooks.stats(&bed.caller(), path.map(Into::into), StatsQuery::default()).await.unwrap()
        };
        testkit::wait::until("the counts", SOON, async || {
            let all = stats(None).await;
            (all.attempts == 6 && all.skipped_deliveries == 3).then_some(())
        })
        .await;
        let (all, well, ill, off) = (stats(None).await, stats(Some(well)).await, stats(Some(ill)).await, stats(Some(off)).await);
        assert_eq!((all.succeeded, all.failed_attempts, all.failed_deliveries), (3, 3, 3));
        assert_eq!((all.success_rate, all.attempt_success_rate), (Some(0.5), Some(0.5)));
        assert_eq!((well.attempts, well.success_rate, well.last_failure_at), (3, Some(1.0), None));
        assert!(well.latency_ms.p50.is_some() && well.latency_ms.p50 <= well.latency_ms.p99 && well.last_success_at.is_some());
        assert_eq!((ill.attempts, ill.success_rate, ill.by_hour.iter().map(|hour| hour.attempts).sum::<u64>()), (3, Some(0.0), 3));
        assert_eq!((off.attempts, off.success_rate, off.skipped_deliveries), (0, None, 3));
        let old = StatsQuery { from: Timestamp::parse("2020-01-01T00:00:00Z").ok(), to: Timestamp::parse("2020-01-02T00:00:00Z").ok() };
        assert_eq!(bed.webhooks.stats(&bed.caller(), None, old).await.unwrap().attempts, 0);
        let long = StatsQuery { from: Timestamp::parse("2020-01-01T00:00:00Z").ok(), to: None };
        assert_eq!(bed.webhooks.stats(&bed.caller(), None, long).await.unwrap_err().fields()[0].pointer, "/from");
        assert_eq!(bed.webhooks.stats(&bed.stranger, Some(ill.webhook_id.unwrap().into()), StatsQuery::default()).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.webhooks.stats(&bed.stranger, None, StatsQuery::default()).await.unwrap().attempts, 0);
    }

    /// A scheduled event is cancelled before its time; only its own tenant can.
    async fn a_scheduled_event_is_cancelled(bed: Bed) {
        let receiver = Receiver::start();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"]})).await.unwrap();
        let later = bed.ambient.now().plus(Duration::from_hours(1));
        let scheduled = bed.publish("lead.created", json!({"deliverAt": later})).await;
        assert_eq!(bed.webhooks.cancel_event(&bed.stranger, scheduled.id.clone()).await.unwrap_err().kind(), Kind::NotFound);
        let cancelled = bed.webhooks.cancel_event(&bed.caller(), scheduled.id.clone()).await.unwrap();
        assert_eq!(cancelled.cancelled, 1);
        assert_eq!(bed.webhooks.cancel_event(&bed.caller(), scheduled.id.clone()).await.unwrap().cancelled, 0);
        let event = bed.events.get(&bed.caller(), scheduled.id).await.unwrap();
        let pair = event.pairs.unwrap().remove(0);
        assert_eq!((pair.webhook_id, pair.status.as_str(), pair.reason.as_deref()), (made.id, "skipped", Some("cancelled")));
        let one = pair.delivery_id.unwrap();
        assert_eq!(bed.webhooks.cancel_delivery(&bed.caller(), one).await.unwrap_err().code(), "delivery_ended");
        assert_eq!(bed.webhooks.cancel_delivery(&bed.stranger, one).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.webhooks.retry(&bed.caller(), one).await.unwrap().status, Status::Pending);
        receiver.wait_for(1, SOON).await;
        let audited = bed.audited().await;
        assert!(audited.contains(&"event.cancel".to_owned()));
    }
}
