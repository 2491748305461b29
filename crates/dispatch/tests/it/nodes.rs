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

#[test]
fn a_purge_and_a_node_that_remove_the_same_rows_never_wait_in_a_circle() {
    on_postgres(|bed: Bed| async move {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.set_state(id, dispatch::State::Paused).await;
        bed.publish(6).await;
        bed.wait_quiet(&dispatch).await;
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (purged, has_purged) = std::sync::mpsc::channel();
        // A node's removal, in an order of its own: the newest first, and the others once the purge has made its first step, or is stuck in it.
        let (store, tenant) = (bed.store.clone(), bed.tenant);
        let node = tokio::spawn(async move {
            let removal = move |tx: &mut store::Tx<'_>| {
                let sql = "SELECT id FROM queue WHERE tenant_id = ?1 ORDER BY id DESC";
                let ids: Vec<kernel::DeliveryId> = tx.query(sql, &[tenant.into()], |row| row.get(0))?;
                for (n, id) in ids.into_iter().enumerate() {
                    tx.exec("DELETE FROM queue WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
                    if n == 0 {
                        begun.send(()).unwrap();
                        let _ = has_purged.recv_timeout(Duration::from_millis(400));
                    }
                }
                Ok(())
            };
            store.write(crate::bed::system(), removal).await
        });
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
        let mut removed = 0;
        loop {
            match bed.store.write(crate::bed::system(), move |tx| dispatch::purge::some(tx, tenant, None, 6)).await.unwrap() {
                0 => break,
                some => removed += some,
            }
            let _ = purged.send(());
        }
        node.await.unwrap().unwrap();
        assert_eq!((removed, bed.queued().await), (5, 0), "what nobody held went at once, and the last one with its holder");
    });
}
