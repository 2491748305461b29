//! Deliveries that stand together on a slip: as good as in the queue, whatever happens to them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dispatch::deliveries::{self, Delivery, DeliveryFilter, Status};
use dispatch::{Dispatch, DispatchLifecycle, Policy, State};
use kernel::{DestinationId, Error, PageRequest};
use store::{Lifecycle as _, Subject};
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply, system};

/// A dispatcher and a destination that takes what it is given.
async fn brisk(bed: &Bed, policy: Policy) -> (Arc<Dispatch>, DestinationId) {
    let dispatch = bed.dispatch().await;
    let id = bed.destination(policy).await;
    bed.publish(1).await;
    bed.wait_ended("delivered", 1).await;
    bed.wait_quiet(&dispatch).await;
    (dispatch, id)
}

/// Lets nothing pass whose number is greater.
fn hold_after(bed: &Bed, greatest: i64) -> Gate {
    let gate = Gate::closed();
    let held = gate.clone();
    bed.channel.answer(move |seen| if seen.seq > greatest { Reply::Held(held.clone()) } else { Reply::Deliver });
    gate
}

async fn slips(bed: &Bed) -> i64 {
    bed.number("SELECT COUNT(*) FROM slips").await
}

async fn wait_without_slips(bed: &Bed) {
    testkit::wait::until("no slip is left", LIMIT, || async { (slips(bed).await == 0).then_some(()) }).await;
}

async fn list(bed: &Bed, filter: DeliveryFilter, page: PageRequest) -> kernel::Page<Delivery> {
    let tenant = bed.tenant;
    bed.store.read(system(), move |tx| deliveries::list(tx, tenant, &filter, &page)).await.unwrap()
}

async fn pending(bed: &Bed) -> Vec<Delivery> {
    list(bed, DeliveryFilter { status: Some(Status::Pending), ..DeliveryFilter::default() }, PageRequest::default()).await.data
}

/// The sequence numbers that arrived, each once.
fn arrived(bed: &Bed) -> Vec<i64> {
    let mut seen: Vec<i64> = bed.channel.seen().iter().map(|seen| seen.seq).collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

testkit::engines! {
    async fn they_are_seen_like_queued_ones(bed: Bed) {
        let (dispatch, id) = brisk(&bed, Policy::default()).await;
        let gate = hold_after(&bed, 1);
        bed.publish(5).await;
        assert_eq!((slips(&bed).await, bed.queued().await), (1, 0));
        let all = pending(&bed).await;
        assert_eq!(all.iter().map(|row| row.sequence).collect::<BTreeSet<_>>(), BTreeSet::from([2, 3, 4, 5, 6]));
        let waiting = bed.store.read(system(), dispatch::backlog::read).await.unwrap();
        assert_eq!((waiting.pending, waiting.oldest_at), (5, all.iter().map(|row| row.created_at).min()), "operators see them as well");
        let whole = list(&bed, DeliveryFilter::default(), PageRequest::default()).await.data;
        assert!(whole.len() == 6 && whole.is_sorted_by(|a, b| a.id > b.id));
        for (page, rows) in (1..).zip(whole.chunks(2)) {
            let page = PageRequest { limit: 2, page: Some(page), ..PageRequest::default() };
            assert_eq!(list(&bed, DeliveryFilter::default(), page).await.data, rows);
        }
        let page = PageRequest { cursor: Some(kernel::Cursor { key: 0, id: all[2].id.to_string() }), ..PageRequest::default() };
        let after = whole.iter().filter(|row| row.id < all[2].id).cloned().collect::<Vec<_>>();
        assert_eq!(list(&bed, DeliveryFilter::default(), page).await.data, after);
        let count = async |filter: DeliveryFilter| list(&bed, filter, PageRequest::default()).await.data.len();
        assert_eq!(count(DeliveryFilter { destination: Some(id), undelivered: true, ..Default::default() }).await, 5);
        assert_eq!(count(DeliveryFilter { event: Some(all[0].event_id.clone()), ..Default::default() }).await, 1);
        assert_eq!(count(DeliveryFilter { client: Some(bed.ambient.id()), ..Default::default() }).await, 0);
        assert_eq!(count(DeliveryFilter { event_type: Some("lead.updated".into()), ..Default::default() }).await, 0);
        assert_eq!(count(DeliveryFilter { status: Some(Status::Delivered), ..Default::default() }).await, 1);
        assert_eq!(count(DeliveryFilter { lost: true, ..Default::default() }).await, 0);
        let (tenant, one) = (bed.tenant, all[0].id);
        assert_eq!(bed.store.read(system(), move |tx| deliveries::get(tx, tenant, one)).await.unwrap(), all[0]);
        let other = bed.ambient.id();
        let refused = bed.store.read(system(), move |tx| deliveries::get(tx, other, one)).await.unwrap_err();
        assert_eq!(refused.kind(), kernel::Kind::NotFound);
        gate.open();
        bed.wait_ended("delivered", 6).await;
        bed.wait_quiet(&dispatch).await;
        wait_without_slips(&bed).await;
        assert_eq!(pending(&bed).await, []);
        assert_eq!(arrived(&bed), [1, 2, 3, 4, 5, 6]);
    }

    async fn a_crash_loses_none(bed: Bed) {
        let (first, _) = brisk(&bed, Policy::default()).await;
        let gate = hold_after(&bed, 40);
        bed.publish(100).await;
        bed.wait_ended("delivered", 40).await;
        assert_eq!(bed.queued().await, 0, "they stand on a slip");
        bed.crash(first).await;
        assert_eq!(pending(&bed).await.len(), 20, "a page of those that have not ended");
        bed.clock.advance(std::time::Duration::from_secs(7));
        bed.channel.answer(|_| Reply::Deliver);
        let second = bed.dispatch().await;
        // A heartbeat of the first life may have been committed after the clock moved, and no time passes by itself here.
        bed.clock.advance(std::time::Duration::from_secs(7));
        bed.wait_ended("delivered", 101).await;
        bed.wait_quiet(&second).await;
        gate.open();
        assert_eq!((slips(&bed).await, bed.queued().await), (0, 0));
        assert_eq!(arrived(&bed), (1..=101).collect::<Vec<_>>());
    }

    async fn what_fails_goes_into_the_queue(bed: Bed) {
        let (dispatch, _) = brisk(&bed, Policy { schedule_ms: vec![1000], ..Policy::default() }).await;
        bed.channel.answer(|seen| if seen.seq % 2 == 0 { Reply::Status(500) } else { Reply::Deliver });
        bed.publish(6).await;
        bed.wait_ended("delivered", 4).await;
        bed.wait_quiet(&dispatch).await;
        wait_without_slips(&bed).await;
        assert_eq!(bed.number("SELECT COUNT(*) FROM queue WHERE attempt_count = 1 AND last_status_code = 500").await, 3);
        bed.channel.answer(|_| Reply::Deliver);
        bed.clock.advance(std::time::Duration::from_secs(2));
        dispatch.poke();
        bed.wait_ended("delivered", 7).await;
        assert_eq!(bed.queued().await, 0);
    }

    async fn one_can_be_cancelled_and_one_sent_again(bed: Bed) {
        let (dispatch, _) = brisk(&bed, Policy { max_concurrency: 1, ..Policy::default() }).await;
        let gate = hold_after(&bed, 1);
        bed.publish(4).await;
        assert_eq!(bed.queued().await, 0);
        let all = pending(&bed).await;
        let numbered = |seq: i64| all.iter().find(|row| row.sequence == seq).unwrap().id;
        let (tenant, last, before) = (bed.tenant, numbered(5), numbered(4));
        let dispatcher = Arc::clone(&dispatch);
        let ended = bed.store.write(system(), move |tx| dispatcher.cancel(tx, tenant, last)).await.unwrap();
        assert_eq!((ended.status, ended.reason.as_deref()), (Status::Skipped, Some("cancelled")));
        assert_eq!((slips(&bed).await, bed.queued().await), (0, 3), "those beside it are in the queue");
        let dispatcher = Arc::clone(&dispatch);
        assert_eq!(bed.store.write(system(), move |tx| dispatcher.retry(tx, tenant, before)).await.unwrap().status, Status::Pending);
        gate.open();
        bed.wait_ended("delivered", 4).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(arrived(&bed), [1, 2, 3, 4]);
        assert_eq!(bed.queued().await, 0);
    }

    async fn what_lingers_goes_into_the_queue(bed: Bed) {
        let (dispatch, _) = brisk(&bed, Policy::default()).await;
        let gate = hold_after(&bed, 3);
        bed.publish(5).await;
        bed.wait_ended("delivered", 3).await;
        wait_without_slips(&bed).await;
        assert_eq!(bed.queued().await, 3);
        // It is slow: what is published now goes there at once.
        bed.publish(1).await;
        assert_eq!((slips(&bed).await, bed.queued().await), (0, 4));
        gate.open();
        bed.wait_ended("delivered", 7).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.queued().await, 0);
        assert_eq!(bed.channel.count(), 7, "nothing was sent twice");
    }

    async fn an_event_that_goes_takes_its_own_along(bed: Bed) {
        let (dispatch, _) = brisk(&bed, Policy { max_concurrency: 1, ..Policy::default() }).await;
        let gate = hold_after(&bed, 1);
        bed.publish(3).await;
        let all = pending(&bed).await;
        let (tenant, event) = (bed.tenant, all.iter().find(|row| row.sequence == 4).unwrap().event_id.clone());
        let lifecycle = DispatchLifecycle::new(bed.store.clone());
        bed.store.write(system(), move |tx| lifecycle.purge(tx, tenant, &Subject::Event(event))).await.unwrap();
        assert_eq!(pending(&bed).await.len(), 2);
        gate.open();
        bed.wait_ended("delivered", 3).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((slips(&bed).await, bed.queued().await), (0, 0));
    }

    async fn a_destination_that_is_disabled_ends_them(bed: Bed) {
        let (dispatch, id) = brisk(&bed, Policy { max_concurrency: 1, ..Policy::default() }).await;
        let gate = hold_after(&bed, 1);
        bed.publish(5).await;
        testkit::wait::until("the first is under way", LIMIT, || async { (bed.channel.count() == 2).then_some(()) }).await;
        bed.set_state(id, State::Disabled).await;
        bed.wait_ended("disabled", 4).await;
        gate.open();
        bed.wait_ended("delivered", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((slips(&bed).await, bed.queued().await), (0, 0));
    }

    async fn a_publication_that_fails_leaves_nothing(bed: Bed) {
        let (dispatch, _) = brisk(&bed, Policy::default()).await;
        let (events, event) = (Arc::clone(&bed.events), bed.event(b"{}"));
        let fails = bed.store.write(system(), move |tx| {
            events.emit(tx, vec![event])?;
            Err::<(), _>(Error::internal("not this time"))
        });
        assert!(fails.await.is_err());
        bed.publish(1).await;
        bed.wait_ended("delivered", 2).await;
        bed.wait_quiet(&dispatch).await;
        wait_without_slips(&bed).await;
        assert_eq!((bed.queued().await, bed.channel.count()), (0, 2));
    }

    async fn a_server_that_stops_leaves_them_to_the_next(bed: Bed) {
        let (first, _) = brisk(&bed, Policy { max_concurrency: 1, ..Policy::default() }).await;
        let gate = hold_after(&bed, 1);
        bed.publish(5).await;
        testkit::wait::until("the first is under way", LIMIT, || async { (bed.channel.count() == 2).then_some(()) }).await;
        let opening = async { gate.open() };
        tokio::join!(first.drain(LIMIT), opening);
        assert_eq!(slips(&bed).await, 0);
        assert_eq!(bed.queued().await + bed.ended("delivered").await, 6);
        bed.channel.answer(|_| Reply::Deliver);
        let _second = bed.dispatch().await;
        bed.wait_ended("delivered", 6).await;
        assert_eq!(arrived(&bed), [1, 2, 3, 4, 5, 6]);
    }
}
