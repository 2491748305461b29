//! Several nodes on one PostgreSQL.

use std::time::Duration;

use dispatch::Policy;
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply};

fn on_postgres<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    testkit::engine::run(testkit::Engine::postgres(), body);
}

#[test]
fn a_dead_nodes_deliveries_are_finished_by_another() {
    on_postgres(|bed: Bed| async move {
        let survivor = bed.dispatch().await;
        let doomed = bed.dispatch().await;
        bed.destination(Policy { max_concurrency: 2, ..Policy::default() }).await;
        let gate = Gate::closed();
        bed.channel.answer(move |_| Reply::Held(gate.clone()));
        bed.publish(700).await;
        testkit::wait::until("some are under way", LIMIT, || async { (bed.channel.count() == 2).then_some(()) }).await;
        bed.crash(doomed).await;
        bed.channel.answer(|_| Reply::Deliver);
        bed.clock.advance(Duration::from_secs(7));
        bed.wait_ended("delivered", 700).await;
        bed.wait_quiet(&survivor).await;
        assert_eq!(bed.queued().await, 0);
    });
}

#[test]
fn a_node_that_was_only_slow_starts_again_under_a_new_epoch() {
    on_postgres(|bed: Bed| async move {
        let slow = bed.dispatch().await;
        let before = slow.node();
        bed.destination(Policy::default()).await;
        let id = before.id;
        let bury = move |tx: &mut store::Tx<'_>| tx.exec("UPDATE nodes SET stopped_at = 1 WHERE id = ?1", &[id.into()]);
        bed.store.write(crate::bed::system(), bury).await.unwrap();
        testkit::wait::until("a new life", LIMIT, || async { (slow.node().epoch > before.epoch).then_some(()) }).await;
        bed.publish(100).await;
        bed.wait_ended("delivered", 100).await;
    });
}
