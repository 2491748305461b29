//! Lists by event, repeating many, making what never was, cancelling; and the indexes that all of it walks along.

use std::sync::Arc;
use std::time::Duration;

use std::sync::Mutex;

use dispatch::deliveries::{self, Delivery, DeliveryFilter, Status};
use dispatch::{Ended, NewDelivery, Observer, Policy, State, Turn};
use kernel::{DeliveryId, DestinationId, Event, EventId, EventType, PageRequest, Result, TenantId};
use store::Tx;

use crate::bed::{Bed, LIMIT, Reply, system};

async fn all(bed: &Bed, filter: DeliveryFilter) -> Vec<Delivery> {
    let (tenant, page) = (bed.tenant, PageRequest { limit: 1000, ..PageRequest::default() });
    bed.store.read(system(), move |tx| deliveries::list(tx, tenant, &filter, &page)).await.unwrap().data
}

async fn of_event(bed: &Bed, event: &str) -> Vec<Delivery> {
    all(bed, DeliveryFilter { event: Some(event.parse().unwrap()), ..DeliveryFilter::default() }).await
}

async fn event(bed: &Bed, id: &str) -> Arc<Event> {
    let (tenant, id): (_, EventId) = (bed.tenant, id.parse().unwrap());
    let load = move |tx: &mut store::Tx<'_>| {
        let at = events::accepted_at(tx, tenant, &id)?.unwrap();
        events::load(tx, &[(tenant, id, at)])
    };
    bed.store.read(system(), load).await.unwrap().pop().unwrap()
}

async fn replay(bed: &Bed, dispatch: &Arc<dispatch::Dispatch>, event: &Arc<Event>, destination: DestinationId) -> u64 {
    let (again, tenant, items) = (Arc::clone(dispatch), bed.tenant, vec![NewDelivery::new(Arc::clone(event), destination)]);
    bed.store.write(system(), move |tx| again.replay(tx, tenant, &items)).await.unwrap()
}

async fn requeue(bed: &Bed, dispatch: &Arc<dispatch::Dispatch>, rows: Vec<Delivery>) -> u64 {
    let (again, tenant) = (Arc::clone(dispatch), bed.tenant);
    bed.store.write(system(), move |tx| again.requeue(tx, tenant, &rows)).await.unwrap()
}

/// Remembers what it was told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) lost: Mutex<Vec<Ended>>,
    pub(crate) turns: Mutex<Vec<Turn>>,
}

impl Observer for Told {
    fn lost(&self, _: &mut Tx<'_>, lost: &[Ended]) -> Result<()> {
        self.lost.lock().unwrap().extend_from_slice(lost);
        Ok(())
    }

    fn turned(&self, _: &mut Tx<'_>, _: TenantId, _: DestinationId, turn: &Turn, _: Option<&EventType>) -> Result<()> {
        self.turns.lock().unwrap().push(turn.clone());
        Ok(())
    }
}

testkit::engines! {
    /// An observer is told what was lost, that nothing has arrived for minutes (not at the first failure), that something does again, and that
    /// a destination is disabled.
    async fn an_observer_is_told_of_ends_and_turns(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let told = Arc::new(Told::default());
        dispatch.set_observer(Arc::<Told>::clone(&told));
        let id = bed.destination(Policy { schedule_ms: vec![], ..Policy::default() }).await;
        bed.channel.answer(|_| Reply::Status(500));
        let since = bed.ambient.now();
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(*told.turns.lock().unwrap(), []);
        let lost = told.lost.lock().unwrap().remove(0);
        assert_eq!((lost.destination, lost.reason, lost.attempts, lost.status_code), (id, "exhausted", 1, Some(500)));
        bed.clock.advance(Duration::from_mins(6));
        bed.publish(1).await;
        bed.wait_ended("exhausted", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(*told.turns.lock().unwrap(), [Turn::Failing(since)]);
        bed.channel.answer(|_| Reply::Deliver);
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        bed.channel.answer(|_| Reply::Gone);
        bed.publish(1).await;
        bed.wait_ended("gone", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(*told.turns.lock().unwrap(), [Turn::Failing(since), Turn::Recovered, Turn::Disabled("gone")]);
        assert_eq!(told.lost.lock().unwrap().iter().map(|one| one.reason).collect::<Vec<_>>(), ["exhausted", "gone"]);
    }

    /// An event's deliveries are found, pending and finished, planned with it and replayed long after it.
    async fn an_events_deliveries_are_found_however_they_came(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let first = bed.destination(Policy::default()).await;
        bed.publish(2).await;
        bed.wait_ended("delivered", 2).await;
        let late = bed.destination(Policy::default()).await;
        bed.set_state(late, State::Paused).await;
        let (one, two) = (event(&bed, "e-0").await, event(&bed, "e-1").await);
        // Long after the event: its time says nothing about where the delivery's row is.
        bed.clock.advance(Duration::from_hours(30));
        assert_eq!(replay(&bed, &dispatch, &one, late).await, 1);
        assert_eq!(replay(&bed, &dispatch, &one, late).await, 0, "a pair has one delivery");
        let found = of_event(&bed, "e-0").await;
        assert_eq!(found.iter().map(|row| (row.webhook_id, row.status)).collect::<Vec<_>>(), [(late, Status::Pending), (first, Status::Delivered)]);
        assert_eq!(of_event(&bed, "e-1").await.len(), 1);
        assert!(of_event(&bed, "e-9").await.is_empty());
        let tenant = bed.tenant;
        let attempted = async |destination| {
            let events = [Arc::clone(&one), Arc::clone(&two)];
            bed.store.read(system(), move |tx| deliveries::attempted(tx, tenant, destination, &events)).await.unwrap().len()
        };
        assert_eq!((attempted(first).await, attempted(late).await, attempted(bed.ambient.id()).await), (2, 1, 0));
        bed.set_state(late, State::Enabled).await;
        bed.wait_ended("delivered", 3).await;
        assert_eq!(replay(&bed, &dispatch, &one, late).await, 0, "nor once it has ended");
        assert_eq!(of_event(&bed, "e-0").await.iter().filter(|row| row.status == Status::Delivered).count(), 2);
    }

    /// What was lost comes back, once; what is pending or has nowhere to go stays.
    async fn many_are_queued_again_once(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let open = bed.destination(Policy { schedule_ms: vec![], ..Policy::default() }).await;
        let closed = bed.destination(Policy { schedule_ms: vec![], ..Policy::default() }).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(3).await;
        bed.wait_ended("exhausted", 6).await;
        bed.wait_quiet(&dispatch).await;
        bed.set_state(closed, State::Disabled).await;
        bed.set_state(open, State::Paused).await;
        let filter = DeliveryFilter { lost: true, ..DeliveryFilter::default() };
        let (tenant, counted, walked) = (bed.tenant, filter.clone(), filter.clone());
        let count = bed.store.read(system(), move |tx| deliveries::count_finished(tx, tenant, &counted, 4)).await.unwrap();
        assert_eq!(count, 4, "counting stops at its bound");
        let rows = bed.store.read(system(), move |tx| deliveries::walk(tx, tenant, &walked, None, 100)).await.unwrap();
        assert!(rows.len() == 6 && rows.is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(requeue(&bed, &dispatch, rows.clone()).await, 3);
        assert_eq!(requeue(&bed, &dispatch, rows.clone()).await, 0);
        assert_eq!((bed.queued().await, bed.ended("exhausted").await), (3, 3));
        bed.channel.answer(|_| Reply::Deliver);
        bed.set_state(open, State::Enabled).await;
        bed.wait_ended("delivered", 3).await;
        let of_open: Vec<DeliveryId> = rows.iter().filter(|row| row.webhook_id == open).map(|row| row.id).collect();
        let mut arrived: Vec<DeliveryId> =
            all(&bed, DeliveryFilter { status: Some(Status::Delivered), ..DeliveryFilter::default() }).await.iter().map(|row| row.id).collect();
        arrived.sort();
        assert_eq!(arrived, of_open, "under the same ids");
    }

    /// A scheduled delivery, one that waits for its retry and one that stands in memory: none is sent once it is cancelled.
    async fn what_is_cancelled_is_not_sent(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy { schedule_ms: vec![60_000], ..Policy::default() }).await;
        let mut later = bed.event(b"{}");
        later.deliver_at = Some(bed.ambient.now().plus(Duration::from_hours(1)));
        bed.emit(vec![later]).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(1).await;
        testkit::wait::until("the first attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(1).await;
        assert_eq!(bed.queued().await, 3);
        let tenant = bed.tenant;
        let cancel = async |id: DeliveryId, tenant| {
            let dispatch = Arc::clone(&dispatch);
            bed.store.write(system(), move |tx| dispatch.cancel(tx, tenant, id)).await
        };
        let pending = all(&bed, DeliveryFilter { status: Some(Status::Pending), ..DeliveryFilter::default() }).await;
        assert_eq!(cancel(pending[0].id, bed.ambient.id()).await.unwrap_err().code(), "not_found");
        for row in &pending {
            let ended = cancel(row.id, tenant).await.unwrap();
            assert_eq!((ended.status, ended.reason.as_deref()), (Status::Skipped, Some("cancelled")));
            assert_eq!(cancel(row.id, tenant).await.unwrap_err().code(), "delivery_ended");
        }
        assert_eq!(cancel(bed.ambient.id(), tenant).await.unwrap_err().code(), "not_found");
        bed.channel.answer(|_| Reply::Deliver);
        bed.set_state(id, State::Enabled).await;
        bed.clock.advance(Duration::from_hours(2));
        // What comes after goes through, so the lane has looked at everything before it.
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((bed.channel.count(), bed.ended("cancelled").await, bed.queued().await), (2, 3, 0));
    }

    /// In an ordered destination, cancelling what waits for its retry lets go what stood behind it.
    async fn cancelling_lets_the_next_of_a_key_go(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { schedule_ms: vec![3_600_000], ordered: true, ..Policy::default() }).await;
        bed.channel.answer(|seen| if seen.seq == 1 { Reply::Status(500) } else { Reply::Deliver });
        let mut both = vec![bed.event(b"{}"), bed.event(b"{}")];
        both.iter_mut().for_each(|event| event.ordering_key = Some("k".into()));
        bed.emit(both).await;
        testkit::wait::until("the first attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.queued().await, 2);
        let first = of_event(&bed, "e-0").await.remove(0);
        let (tenant, again) = (bed.tenant, Arc::clone(&dispatch));
        bed.store.write(system(), move |tx| again.cancel(tx, tenant, first.id)).await.unwrap();
        bed.wait_ended("delivered", 1).await;
        assert_eq!(bed.queued().await, 0);
    }

    /// All of an event's at once.
    async fn an_events_deliveries_are_cancelled_together(bed: Bed) {
        let dispatch = bed.dispatch().await;
        for _ in 0..3 {
            let id = bed.destination(Policy::default()).await;
            bed.set_state(id, State::Paused).await;
        }
        bed.publish(2).await;
        let (tenant, again) = (bed.tenant, Arc::clone(&dispatch));
        let count = bed.store.write(system(), move |tx| again.cancel_event(tx, tenant, &"e-0".parse().unwrap())).await.unwrap();
        assert_eq!((count, bed.queued().await, bed.ended("cancelled").await), (3, 3, 3));
    }

    /// Every list walks along an index, in the order in which it is shown.
    async fn lists_walk_along_indexes(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.publish(30).await;
        bed.wait_ended("delivered", 30).await;
        bed.wait_quiet(&dispatch).await;
        let one = "tenant_id = 't' AND destination_id = 'd'";
        for (index, sorted, rest) in [
            (["_pkey on deliveries_", "sqlite_autoindex_deliveries_1"], true, "deliveries WHERE tenant_id = 't' AND id < 'x' AND event_type = 'a' ORDER BY id DESC".to_owned()),
            (["tenant_id_destination_id_id_idx on", "deliveries_destination"], true, format!("deliveries WHERE {one} AND id < 'x' ORDER BY id DESC")),
            (["tenant_id_id_idx on", "deliveries_undelivered"], true, "deliveries WHERE tenant_id = 't' AND status <> 'delivered' AND reason = 'gone' ORDER BY id DESC".to_owned()),
            (["tenant_id_destination_id_id_idx1 on", "deliveries_destination_undelivered"], true, format!("deliveries WHERE {one} AND status <> 'delivered' AND id > 'x' ORDER BY id")),
            (["tenant_id_event_id_idx on", "deliveries_event"], false, "deliveries WHERE tenant_id = 't' AND event_id = 'e'".to_owned()),
            (["queue_pkey", "PRIMARY KEY"], true, "queue WHERE tenant_id = 't' AND event_id = 'e' AND id >= 'a' AND id < 'x' ORDER BY id DESC".to_owned()),
        ] {
            let sql = format!("SELECT id FROM {rest} LIMIT 21");
            // A transaction, in which the settings below hold; what is only read is none on PostgreSQL.
            let plan = bed.store.write(system(), move |tx| match tx.engine() {
                store::Engine::Sqlite => tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &[], |row| row.get::<String>(3)),
                store::Engine::Postgres => {
                    // The tables of a test are too small for an index to be worth its while.
                    for off in ["seqscan", "bitmapscan", "sort"] {
                        tx.exec(&format!("SET LOCAL enable_{off} = off"), &[])?;
                    }
                    tx.query(&format!("EXPLAIN {sql}"), &[], |row| row.get::<String>(0))
                }
            });
            let plan = plan.await.unwrap().join("\n");
            assert!(index.iter().any(|name| plan.contains(name)) && !plan.contains("SCAN deliveries") && !plan.contains("Seq Scan"), "{plan}");
            assert!(!sorted || !(plan.contains("Sort  (") || plan.contains("B-TREE")), "{plan}");
        }
    }
}
