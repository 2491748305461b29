//! What goes, and when.

use std::time::Duration;

use access::tenants::CreateTenant;
use dispatch::destinations::State;
use kernel::Caller;
use retention::{Lifetime, Lifetimes};
use serde_json::json;

use crate::bed::Bed;

const EVENTS: &str = "SELECT COUNT(*) FROM events";
const PAYLOADS: &str = "SELECT COUNT(*) FROM events WHERE LENGTH(data) > 0";
const DELIVERIES: &str = "SELECT COUNT(*) FROM deliveries";
const ANSWERS: &str = "SELECT COUNT(*) FROM deliveries WHERE response_body IS NOT NULL";
const ATTEMPTS: &str = "SELECT COUNT(*) FROM attempts";
const SAID: &str =
    "SELECT COUNT(*) FROM attempts WHERE response_body IS NOT NULL OR request_headers IS NOT NULL OR response_headers IS NOT NULL";

async fn standing(bed: &Bed) -> [i64; 6] {
    [
        bed.number(EVENTS).await,
        bed.number(PAYLOADS).await,
        bed.number(DELIVERIES).await,
        bed.number(ANSWERS).await,
        bed.logged(ATTEMPTS).await,
        bed.logged(SAID).await,
    ]
}

testkit::engines! {
    async fn each_kind_has_its_lifetime(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let mut last = None;
        for _ in 0..250 {
            last = Some(bed.publish(bed.tenant, "ada").await);
        }
        bed.wait_ended(250).await;
        bed.days(29);
        assert_eq!(retention.sweep().await.unwrap(), retention::Swept::default());
        assert_eq!(standing(&bed).await, [250; 6]);
        bed.days(2);
        assert_eq!(retention.sweep().await.unwrap().answers, 500);
        assert_eq!(standing(&bed).await, [250, 250, 250, 0, 250, 0]);
        bed.days(61);
        let swept = retention.sweep().await.unwrap();
        assert_eq!(swept.payloads, 250);
        // Days are dropped as a whole, rows are counted one by one.
        let is_dropped = bed.engine.database().is_some();
        assert_eq!((swept.attempts, swept.days > 0), if is_dropped { (0, true) } else { (250, false) });
        assert_eq!(standing(&bed).await, [250, 0, 250, 0, 0, 0]);
        let view = bed.events.get(&bed.caller(), last.clone().unwrap()).await.unwrap();
        assert_eq!((view.data.get(), view.event_type.as_str()), ("null", "lead.created"));
        bed.days(274);
        let swept = retention.sweep().await.unwrap();
        assert_eq!((swept.events, swept.deliveries), if is_dropped { (0, 0) } else { (250, 250) });
        assert_eq!(standing(&bed).await, [0; 6]);
        assert_eq!(bed.number("SELECT COUNT(*) FROM event_ids").await, 250, "an id names one event for ever");
        assert_eq!(bed.events.get(&bed.caller(), last.unwrap()).await.unwrap_err().code(), "not_found");
        assert_eq!(retention.sweep().await.unwrap(), retention::Swept::default(), "nothing is left to do");
    }

    /// However old it is.
    async fn what_is_pending_stays(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        bed.set_state(State::Paused).await;
        let waiting = bed.publish(bed.tenant, "ada").await;
        let theirs = bed.publish(bed.stranger, "bob").await;
        bed.wait_ended(1).await;
        bed.days(400);
        let swept = retention.sweep().await.unwrap();
        if bed.engine.database().is_some() {
            assert_eq!(swept.blocked, 1, "the day's events cannot be dropped");
        }
        assert_eq!(bed.events.get(&bed.caller(), waiting.clone()).await.unwrap().data.get(), r#"{"leadId":"1","customerId":"ada"}"#);
        let gone = bed.events.get(&Caller::system("test", Some(bed.stranger)), theirs).await;
        assert_eq!(gone.unwrap_err().code(), "not_found");
        bed.set_state(State::Enabled).await;
        let delivered = "SELECT COUNT(*) FROM deliveries WHERE reason = 'delivered'";
        testkit::wait::until("it is delivered", crate::bed::LIMIT, || async { (bed.number(delivered).await == 1).then_some(()) }).await;
        bed.wait_quiet().await;
        retention.sweep().await.unwrap();
        assert_eq!(bed.events.get(&bed.caller(), waiting).await.unwrap_err().code(), "not_found");
    }

    /// A delivery that is repeated needs the payload, which is gone: it ends with a reason.
    async fn an_erased_event_is_not_sent_again(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        bed.publish(bed.tenant, "ada").await;
        bed.wait_ended(1).await;
        bed.days(91);
        assert_eq!(retention.sweep().await.unwrap().payloads, 1);
        let (dispatch, tenant) = (bed.dispatch.clone(), bed.tenant);
        let ids = "SELECT id FROM deliveries";
        let id = bed.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(ids, &[], |row| row.get::<kernel::DeliveryId>(0))).await.unwrap();
        bed.store.write(kernel::Scope::system("test"), move |tx| dispatch.retry(tx, tenant, id)).await.unwrap();
        let expired = "SELECT COUNT(*) FROM deliveries WHERE reason = 'expired'";
        testkit::wait::until("it has ended", crate::bed::LIMIT, || async { (bed.number(expired).await == 1).then_some(()) }).await;
    }

    async fn a_tenant_can_have_less_kept(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let settings = json!({"retention": {"payloads": "2d", "attempts": "3d", "metadata": "4d"}});
        let input = CreateTenant { name: "Shy".into(), settings: settings.as_object().unwrap().clone(), ..CreateTenant::default() };
        let shy = bed.access.create_tenant(&Caller::system("test", None), input).await.unwrap().id;
        bed.also_to(shy).await;
        for tenant in [shy, bed.tenant] {
            bed.publish(tenant, "ada").await;
        }
        bed.wait_ended(2).await;
        bed.clock.advance(Duration::from_hours(49));
        let swept = retention.sweep().await.unwrap();
        assert_eq!((swept.payloads, swept.attempts, swept.events), (1, 0, 0));
        bed.days(1);
        assert_eq!(retention.sweep().await.unwrap().attempts, 1);
        assert_eq!(bed.logged(ATTEMPTS).await, 1);
        bed.days(1);
        let swept = retention.sweep().await.unwrap();
        assert_eq!((swept.events, swept.deliveries, swept.days), (1, 1, 0));
        assert_eq!(standing(&bed).await, [1; 6]);
    }

    /// Servers share the work; one that is gone is followed by another.
    async fn one_server_at_a_time(bed: Bed) {
        bed.publish(bed.tenant, "ada").await;
        bed.wait_ended(1).await;
        let soon = Lifetimes { payloads: "1h".parse().unwrap(), ..Lifetimes::default() };
        bed.clock.advance(Duration::from_hours(2));
        let (first, node) = bed.elsewhere(Lifetimes::default()).await;
        first.sweep().await.unwrap();
        let second = bed.retention(soon, None);
        assert_eq!(second.sweep().await.unwrap(), retention::Swept::default(), "the first one has it");
        node.drain(crate::bed::LIMIT).await;
        assert_eq!(second.sweep().await.unwrap().payloads, 1, "the first one has said goodbye");
    }

    /// What replays noted, and runs that have ended, are metadata too; what is pending keeps its note.
    async fn notes_and_ended_runs_go(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let (client, tenant) = (bed.ambient.id::<kernel::ClientId>(), bed.tenant);
        bed.set_state(State::Paused).await;
        bed.publish(tenant, "waits").await;
        let note = move |tx: &mut store::Tx<'_>| {
            let sql = "INSERT INTO replayed (tenant_id, event_id, destination_id, client_id, delivery_id) SELECT tenant_id, event_id, destination_id, client_id, id FROM queue";
            tx.exec(sql, &[])?;
            let (other, delivery) = (tx.ambient().id::<kernel::DestinationId>(), tx.ambient().id::<kernel::DeliveryId>());
            let sql = "INSERT INTO replayed (tenant_id, event_id, destination_id, client_id, delivery_id) VALUES (?1, 'gone', ?2, ?3, ?4)";
            tx.exec(sql, &[tenant.into(), other.into(), client.into(), delivery.into()])
        };
        bed.wait_queued(1).await;
        bed.store.write(kernel::Scope::system("test"), note).await.unwrap();
        let input = retention::ExpungeInput { ordering_key: Some("nobody".into()), ..retention::ExpungeInput::default() };
        retention.expunge(&bed.caller(), input).await.unwrap();
        retention.expunge_all().await.unwrap();
        let both = async || (bed.number("SELECT COUNT(*) FROM replayed").await, bed.number("SELECT COUNT(*) FROM expunges").await);
        bed.days(364);
        retention.sweep().await.unwrap();
        assert_eq!(both().await, (2, 1));
        // PostgreSQL waits two days longer, since usually whole days are dropped.
        bed.days(4);
        retention.sweep().await.unwrap();
        assert_eq!(both().await, (1, 0));
    }

    async fn request_logs_go(bed: Bed) {
        let insert = "INSERT INTO request_blocks (id, tenant_id, at, since, calls, subjects, kinds, is_loose, packed) \
                      VALUES (?1, ?2, ?3, ?3, 1, 0, 0, 1, ?4)";
        for (n, tenant) in [String::new(), bed.tenant.to_string(), bed.stranger.to_string()].into_iter().enumerate() {
            let now = bed.ambient.now();
            let row = move |tx: &mut store::Tx<'_>| tx.exec(insert, &[format!("r{n}").into(), tenant.into(), now.into(), Vec::<u8>::new().into()]);
            bed.store.logs().write(kernel::Scope::system("test"), row).await.unwrap();
        }
        let kept = Lifetimes { request_logs: Lifetime::days(10), ..Lifetimes::FOREVER };
        let retention = bed.retention(kept, None);
        bed.days(9);
        assert_eq!(retention.sweep().await.unwrap(), retention::Swept::default());
        bed.days(2);
        let swept = retention.sweep().await.unwrap();
        assert_eq!((swept.request_logs, swept.days > 0), if bed.engine.database().is_some() { (0, true) } else { (3, false) });
        assert_eq!(bed.logged("SELECT COUNT(*) FROM request_blocks").await, 0);
    }
}
