//! `events.publish_batch`.

use std::sync::Arc;

use events::{BatchEntry, PublishBatch};
use kernel::{RequestInfo, RequestSlot};
use serde_json::{Value, json};

use crate::bed::Bed;

fn batch(events: &Value) -> PublishBatch {
    serde_json::from_value(json!({"events": events})).unwrap()
}

testkit::engines! {
    /// The good ones are stored, the others say what is wrong, in order.
    async fn a_mixture_is_answered_item_by_item(bed: Bed) {
        let good = json!({"type": "lead.created", "data": {"leadId": "1"}});
        let events = json!([
            good,
            {"type": "lead.created", "data": {}},
            {"type": "lead.created", "id": "a", "data": {"leadId": "1"}},
            {"type": "nothing.here", "data": {}},
            {"type": "lead.updated", "id": "a", "data": {"leadId": "2"}},
            {"type": "lead.created", "data": {"leadId": "1"}, "colour": 1},
            {"data": {"leadId": "1"}},
            7,
            {"type": "lead.created", "data": {"leadId": "1"}, "clientId": bed.ambient.id::<kernel::ClientId>()},
            {"type": "lead.created", "data": {"leadId": "1"}, "clientId": bed.client},
            {"type": "lead.created", "data": {"leadId": "1"}, "tenantId": bed.tenant},
        ]);
        let answer = bed.events.publish_batch(&bed.caller(), batch(&events)).await.unwrap();
        let view = serde_json::to_value(&answer).unwrap();
        let pointer = |n: usize| view["data"][n]["error"]["errors"][0]["pointer"].clone();
        assert_eq!(view["data"].as_array().unwrap().len(), 11);
        for n in [0, 2, 4, 9, 10] {
            assert_eq!(view["data"][n]["deliveries"], 3, "{n}: {view}");
        }
        assert_eq!((&view["data"][4]["id"], &view["data"][4]["type"]), (&json!("a"), &json!("lead.created")), "the first one's answer");
        assert_eq!(pointer(1), "/events/1/data/leadId");
        assert_eq!((&view["data"][3]["error"]["code"], pointer(3)), (&json!("unknown_event_type"), json!("/events/3/type")));
        assert!(view["data"][5]["error"]["errors"][0]["detail"].as_str().unwrap().contains("colour"));
        assert!(view["data"][6]["error"]["errors"][0]["detail"].as_str().unwrap().contains("type"));
        assert_eq!(pointer(7), "/events/7");
        assert_eq!(view["data"][8]["error"]["code"], "unknown_client");
        assert_eq!(view["data"][8]["error"]["status"], 422);
        assert_eq!(bed.count("events").await, 4);
    }

    /// One transaction and one plan for a full batch; a second time, nothing new.
    async fn a_thousand_are_one_plan(bed: Bed) {
        let events: Value = (0..1000).map(|n| json!({"type": "lead.created", "id": format!("e{n}"), "data": {"leadId": "1"}})).collect();
        for _ in 0..2 {
            let answer = bed.events.publish_batch(&bed.caller(), batch(&events)).await.unwrap();
            for (n, entry) in answer.data.iter().enumerate() {
                let BatchEntry::Published(published) = entry else { panic!("{entry:?}") };
                assert_eq!((published.id.as_str(), published.deliveries), (format!("e{n}").as_str(), 3));
            }
        }
        assert_eq!(bed.planner.calls.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert_eq!(bed.count("events").await, 1000);
    }

    /// With an idempotency key, the repeated batch gets the first answer, refusals included, though its events have no ids.
    async fn an_idempotency_key_replays_the_batch(bed: Bed) {
        let events = json!([{"type": "lead.created", "data": {"leadId": "1"}}, {"type": "lead.created", "data": {}}]);
        let mut answers = Vec::new();
        for _ in 0..2 {
            let slot = RequestSlot::new("k".into(), "owner".into(), [1; 32]);
            let caller = bed.caller().in_request(Arc::new(RequestInfo { id: bed.ambient.id(), ip: None, user_agent: None, slot: Some(slot) }));
            answers.push(serde_json::to_value(bed.events.publish_batch(&caller, batch(&events)).await.unwrap()).unwrap());
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(bed.count("events").await, 1);
    }

    /// The whole is refused for its size and for tenants that differ.
    async fn the_batch_itself_has_bounds(bed: Bed) {
        for size in [0, 1001] {
            let events: Value = (0..size).map(|_| json!({"type": "lead.created", "data": {"leadId": "1"}})).collect();
            let error = bed.events.publish_batch(&bed.caller(), batch(&events)).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, "/events");
        }
        let events = json!([
            {"type": "lead.created", "data": {"leadId": "1"}, "tenantId": bed.tenant},
            {"type": "lead.created", "data": {"leadId": "1"}, "tenantId": bed.ambient.id::<kernel::TenantId>()},
        ]);
        let answer = bed.events.publish_batch(&bed.caller(), batch(&events)).await.unwrap();
        let view = serde_json::to_value(&answer).unwrap();
        assert_eq!(view["data"][1]["error"]["errors"][0]["pointer"], "/events/1/tenantId");
        assert_eq!(bed.count("events").await, 1);
    }
}
