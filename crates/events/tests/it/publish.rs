//! `events.publish`.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::{Caller, Credential, Kind, Permission, PermissionSet, RequestInfo, RequestSlot};
use serde_json::json;

use crate::bed::{Bed, input, lead};

testkit::engines! {
    /// The answer comes after the commit: a reader that starts then sees the event, with every field.
    async fn an_answered_event_is_stored_whole(bed: Bed) {
        let body = json!({
            "type": "lead.created", "data": {"leadId": "1"}, "id": "order:7", "clientId": bed.client, "channels": ["eu", "vip"],
            "occurredAt": "2026-01-31T12:00:00.123Z", "deliverAt": "2026-02-01T00:00:00Z", "orderingKey": "lead-1",
        });
        let answer = bed.events.publish(&bed.caller(), input(&body.to_string())).await.unwrap();
        assert_eq!((answer.id.as_str(), answer.event_type.as_str(), answer.deliveries), ("order:7", "lead.created", 3));
        let stored = bed.events.get(&bed.caller(), answer.id).await.unwrap();
        let view = serde_json::to_value(&stored).unwrap();
        for (name, value) in body.as_object().unwrap() {
            let expected = if name == "deliverAt" { json!("2026-02-01T00:00:00.000Z") } else { value.clone() };
            assert_eq!(view[name], expected, "{name}");
        }
        assert_eq!(view["filtered"], json!([bed.planner.filtered]));
        assert_eq!(view["deliveries"], 3);
    }

    /// Whatever the spelling, `data` is planned and stored as it came.
    async fn data_is_kept_byte_for_byte(bed: Bed) {
        for (n, data) in [
            r#"{"leadId":"1"}"#,
            "{ \"leadId\" :\t\"\\u0041\\/\" ,\r\n \"z\":1e300, \"a\" : 123456789012345678901234567890.10 }",
            r#"{"leadId":"ünïcödé 漢字 🦀","n":-0.0,"e":1E+2}"#,
            r#"{"leadId":"1","deep":[[[[{"x":[null,true,false,""]}]]]]}"#,
        ]
        .into_iter()
        .enumerate()
        {
            let body = format!(r#"{{"type":"lead.created","id":"e{n}","data": {data} }}"#);
            let answer = bed.events.publish(&bed.caller(), input(&body)).await.unwrap();
            assert_eq!(bed.planner.seen.lock().unwrap().last().unwrap().data, data.as_bytes());
            assert_eq!(bed.events.get(&bed.caller(), answer.id).await.unwrap().data.get(), data);
        }
    }

    /// Many at once with one id, on two nodes where there can be two: one event, one plan, one answer.
    async fn one_id_is_one_event_under_concurrency(bed: Bed) {
        let second = if bed.engine.database().is_some() { bed.second_node().await } else { bed.events.clone() };
        let mut tasks = Vec::new();
        for n in 0..64 {
            let events = if n % 2 == 0 { bed.events.clone() } else { second.clone() };
            let caller = bed.caller();
            // Other bodies under the same id get the first one's answer too.
            let body = if n % 3 == 0 { lead(Some("same")) } else { input(r#"{"type":"lead.updated","id":"same","data":{"leadId":"2"}}"#) };
            tasks.push(tokio::spawn(async move { events.publish(&caller, body).await.unwrap() }));
        }
        let mut answers = HashSet::new();
        for task in tasks {
            let answer = task.await.unwrap();
            answers.insert((answer.id.to_string(), answer.event_type.to_string(), answer.deliveries));
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers.iter().next().unwrap().2, 3);
        assert_eq!(bed.planner.seen.lock().unwrap().len(), 1);
        assert_eq!((bed.count("events").await, bed.count("event_ids").await), (1, 1));
        let later = bed.events.publish(&bed.caller(), lead(Some("same"))).await.unwrap();
        assert!(answers.contains(&(later.id.to_string(), later.event_type.to_string(), later.deliveries)));
    }

    /// An id belongs to its tenant: another tenant's event of the same id is another event.
    async fn an_id_is_unique_per_tenant_only(bed: Bed) {
        let other = Caller::system("test", Some(bed.ambient.id()));
        bed.events.publish(&bed.caller(), lead(Some("x"))).await.unwrap();
        bed.events.publish(&other, input(r#"{"type":"lead.updated","id":"x","data":{"leadId":"2"}}"#)).await.unwrap();
        assert_eq!(bed.count("events").await, 2);
        let id = "x".parse().unwrap();
        assert_eq!(bed.events.get(&other, id).await.unwrap().event_type.as_str(), "lead.updated");
        let third = Caller::system("test", Some(bed.ambient.id()));
        assert_eq!(bed.events.get(&third, "x".parse().unwrap()).await.unwrap_err().kind(), Kind::NotFound);
    }

    /// Concurrent publications share transactions and planner calls.
    async fn a_thousand_events_are_planned_in_groups(bed: Bed) {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..1000 {
            let (events, caller) = (bed.events.clone(), bed.caller());
            tasks.spawn(async move { events.publish(&caller, lead(None)).await.unwrap().id });
        }
        let ids: HashSet<_> = tasks.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 1000);
        assert_eq!(bed.count("events").await, 1000);
        assert!(bed.planner.calls.load(Ordering::SeqCst) < 500, "{:?}", bed.planner.calls);
    }

    /// Nothing of a refused event is stored.
    async fn faults_name_their_place(bed: Bed) {
        let far = bed.ambient.now().plus(Duration::from_hours(24 * 400));
        for (body, code, pointer) in [
            (json!({"type": "lead.creatd", "data": {}}), "unknown_event_type", "/type"),
            (json!({"type": "inbound.github.push", "data": {}}), "unknown_event_type", "/type"),
            (json!({"type": "lead.created", "data": {}}), "validation_failed", "/data/leadId"),
            (json!({"type": "lead.created", "data": {"leadId": 1}}), "validation_failed", "/data/leadId"),
            (json!({"type": "lead.created", "data": {"leadId": "1", "status": []}}), "validation_failed", "/data/status"),
            (json!({"type": "lead.created", "data": [1]}), "validation_failed", "/data"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "channels": vec!["c"; 11]}), "validation_failed", "/channels"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "channels": ["ok", ""]}), "validation_failed", "/channels/1"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "channels": ["c".repeat(65)]}), "validation_failed", "/channels/0"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "orderingKey": "k".repeat(257)}), "validation_failed", "/orderingKey"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "deliverAt": far}), "validation_failed", "/deliverAt"),
            (json!({"type": "lead.created", "data": {"leadId": "1"}, "clientId": bed.ambient.id::<kernel::ClientId>()}), "unknown_client", "/clientId"),
        ] {
            let error = bed.events.publish(&bed.caller(), input(&body.to_string())).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), (code, pointer), "{body}");
        }
        let error = bed.events.publish(&bed.caller(), input(r#"{"type":"lead.creatd","data":{}}"#)).await.unwrap_err();
        assert!(error.fields()[0].detail.contains("did you mean lead.created?"), "{error:?}");
        assert_eq!((bed.count("events").await, bed.count("event_ids").await), (0, 0));
    }

    /// A bad client fails alone, even when it shares its transaction with good events.
    async fn an_unknown_client_fails_alone(bed: Bed) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..100 {
            let client = if n % 10 == 0 { bed.ambient.id() } else { bed.client };
            let body = json!({"type": "lead.created", "data": {"leadId": "1"}, "clientId": client});
            let (events, caller) = (bed.events.clone(), bed.caller());
            tasks.spawn(async move { events.publish(&caller, input(&body.to_string())).await.is_ok() });
        }
        let good = tasks.join_all().await.into_iter().filter(|good| *good).count();
        assert_eq!((good, bed.count("events").await), (90, 90));
    }

    /// Permission and tenant are asked for before anything else.
    async fn authority_is_needed(bed: Bed) {
        let key = |permissions: PermissionSet| {
            let credential = Credential::Key { key: bed.ambient.id(), client: bed.client };
            Caller::new(credential, Some(bed.tenant), Arc::from([]), permissions)
        };
        let reader = key([Permission::EventsRead].into_iter().collect());
        assert_eq!(bed.events.publish(&reader, lead(None)).await.unwrap_err().code(), "insufficient_scope");
        let publisher = key([Permission::EventsPublish].into_iter().collect());
        bed.events.publish(&publisher, lead(None)).await.unwrap();
        let body = json!({"type": "lead.created", "data": {"leadId": "1"}, "tenantId": bed.ambient.id::<kernel::TenantId>()});
        assert_eq!(bed.events.publish(&publisher, input(&body.to_string())).await.unwrap_err().kind(), Kind::NotFound);
        let operator = Caller::system("test", None);
        assert_eq!(bed.events.publish(&operator, lead(None)).await.unwrap_err().code(), "tenant_required");
        bed.events.publish(&operator, input(&body.to_string())).await.unwrap();
        assert_eq!(bed.count("events").await, 2);
    }

    /// With an idempotency key, a repeated request without an id gets the first answer.
    async fn an_idempotency_key_replays_the_answer(bed: Bed) {
        let caller = || {
            let slot = RequestSlot::new("k1".into(), "owner".into(), [7; 32]);
            bed.caller().in_request(Arc::new(RequestInfo { id: bed.ambient.id(), ip: None, user_agent: None, slot: Some(slot) }))
        };
        let first = bed.events.publish(&caller(), lead(None)).await.unwrap();
        let again = caller();
        assert_eq!(bed.events.publish(&again, lead(None)).await.unwrap(), first);
        assert!(again.request().unwrap().slot.as_ref().unwrap().is_replayed());
        assert_eq!(bed.count("events").await, 1);
    }
}
