//! What changes of a destination do to its deliveries.

use dispatch::destinations::{self, DestinationUpdate};
use dispatch::{DispatchLifecycle, Policy, State};
use kernel::id::TypedId as _;
use store::{Lifecycle as _, Subject};

use crate::bed::{Bed, LIMIT, Reply, system};

testkit::engines! {
    async fn a_paused_destination_waits(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.set_state(id, State::Paused).await;
        let other = bed.destination(Policy::default()).await;
        bed.publish(300).await;
        bed.wait_ended("delivered", 300).await;
        bed.wait_quiet(&dispatch).await;
        assert!(bed.channel.seen().iter().all(|seen| seen.destination == other));
        bed.set_state(id, State::Enabled).await;
        bed.wait_ended("delivered", 600).await;
    }

    async fn a_disabled_destinations_deliveries_are_skipped(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(1300).await;
        bed.set_state(id, State::Disabled).await;
        bed.wait_ended("disabled", 1300).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((bed.queued().await, bed.channel.count()), (0, 0));
    }

    async fn a_deleted_destinations_deliveries_go(bed: Bed) {
        let _dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(1300).await;
        let tenant = bed.tenant;
        bed.store.write(system(), move |tx| destinations::delete(tx, tenant, id)).await.unwrap();
        testkit::wait::until("the queue is empty", LIMIT, || async { (bed.queued().await == 0).then_some(()) }).await;
        assert_eq!(bed.number("SELECT COUNT(*) FROM deliveries").await, 0);
        // An index that has not heard of it yet plans for it in vain.
        bed.publish(1).await;
        assert_eq!(bed.queued().await, 0);
    }

    async fn an_updated_policy_is_used(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        let (tenant, policy) = (bed.tenant, Policy { schedule_ms: Vec::new(), ..Policy::default() });
        let change = DestinationUpdate { policy: Some(policy.clone()), config: None };
        let updated = bed.store.write(system(), move |tx| destinations::update(tx, tenant, id, change)).await.unwrap();
        assert_eq!(updated.policy, policy);
        bed.channel.answer(|_| Reply::Status(400));
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&dispatch).await;
    }

    async fn somebody_elses_is_not_found(bed: Bed) {
        let id = bed.destination(Policy::default()).await;
        let stranger: kernel::TenantId = bed.ambient.id();
        let outcome = bed.store.write(system(), move |tx| {
            let codes = [
                destinations::get(tx, stranger, id).map(drop),
                destinations::update(tx, stranger, id, DestinationUpdate::default()).map(drop),
                destinations::set_state(tx, stranger, id, State::Disabled, None),
                destinations::delete(tx, stranger, id),
            ];
            Ok(codes.map(|outcome| outcome.unwrap_err().code()))
        });
        assert_eq!(outcome.await.unwrap(), ["not_found"; 4]);
        assert_eq!(bed.state(id).await.0, State::Enabled);
    }

    async fn a_purge_leaves_nothing(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.publish(5).await;
        bed.wait_ended("delivered", 5).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(5).await;
        bed.wait_quiet(&dispatch).await;
        let (lifecycle, tenant) = (DispatchLifecycle::new(bed.store.clone()), bed.tenant);
        let one = Subject::Event("e-0".parse().unwrap());
        let purging = std::sync::Arc::clone(&lifecycle);
        bed.store.write(system(), move |tx| purging.purge(tx, tenant, &one)).await.unwrap();
        assert_eq!(bed.ended("delivered").await, 4);
        let four = || async { (bed.attempts_logged().await == 4).then_some(()) };
        testkit::wait::until("the event's attempt goes", LIMIT, four).await;
        let client = Subject::Client(bed.client);
        bed.store.write(system(), move |tx| lifecycle.purge(tx, tenant, &client)).await.unwrap();
        assert_eq!(bed.number("SELECT COUNT(*) FROM destinations").await, 0);
        // What was logged goes page by page; what is pending is removed by its node as well.
        let (of, mut after) = (Some(bed.client), Some(kernel::DeliveryId::first_at(kernel::Timestamp::default())));
        while let Some(from) = after {
            let page = bed.store.read(system(), move |tx| dispatch::purge::page(tx, tenant, of, from, 3)).await.unwrap();
            let ids = page.ids.clone();
            bed.store.logs().write(system(), move |tx| dispatch::retention::delete_attempts(tx, tenant, &ids)).await.unwrap();
            bed.store.write(system(), move |tx| dispatch::retention::delete(tx, tenant, &page.ids)).await.unwrap();
            after = page.last;
        }
        while bed.store.write(system(), move |tx| dispatch::purge::some(tx, tenant, of, 2)).await.unwrap() > 0 {}
        for table in ["SELECT COUNT(*) FROM destinations", "SELECT COUNT(*) FROM destination_seqs", "SELECT COUNT(*) FROM queue", "SELECT COUNT(*) FROM deliveries"] {
            assert_eq!(bed.number(table).await, 0, "{table}");
        }
        testkit::wait::until("the log is empty", LIMIT, || async { (bed.attempts_logged().await == 0).then_some(()) }).await;
    }
}
