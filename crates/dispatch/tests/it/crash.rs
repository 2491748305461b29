//! Nothing that was committed is lost.

use dispatch::Policy;
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply, system};

testkit::engines! {
    async fn a_crash_loses_nothing(bed: Bed) {
        let first = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |seen| if seen.seq > 200 { Reply::Held(held.clone()) } else { Reply::Deliver });
        bed.publish(1000).await;
        testkit::wait::until("some are held", LIMIT, || async { (bed.channel.count() > 200).then_some(()) }).await;
        bed.crash(first).await;
        bed.clock.advance(std::time::Duration::from_secs(7));
        bed.channel.answer(|_| Reply::Deliver);
        let second = bed.dispatch().await;
        // A heartbeat of the first life may have been committed after the clock moved, and no time passes by itself here.
        bed.clock.advance(std::time::Duration::from_secs(7));
        bed.wait_ended("delivered", 1000).await;
        bed.wait_quiet(&second).await;
        gate.open();
        assert_eq!(bed.queued().await, 0);
        let mut delivered: Vec<i64> = bed.channel.seen().iter().map(|seen| seen.seq).collect();
        delivered.sort_unstable();
        delivered.dedup();
        assert_eq!(delivered.len(), 1000);
    }

    async fn the_log_is_completed_after_a_crash(bed: Bed) {
        let first = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.publish(50).await;
        bed.wait_ended("delivered", 50).await;
        bed.wait_quiet(&first).await;
        // As if the log's file had lost its last commits.
        bed.store.logs().write(system(), |tx| tx.exec("DELETE FROM attempts", &[])).await.unwrap();
        let kept = bed.number("SELECT COUNT(*) FROM attempt_journal").await;
        assert!(kept > 0, "the last group's journal stays until the next");
        bed.crash(first).await;
        bed.clock.advance(std::time::Duration::from_secs(7));
        let _second = bed.dispatch().await;
        let gone = || async { (bed.number("SELECT COUNT(*) FROM attempt_journal").await == 0).then_some(()) };
        testkit::wait::until("the journal is worked off", LIMIT, gone).await;
        assert!(bed.attempts_logged().await > 0);
    }

    async fn an_outcome_of_an_old_epoch_is_refused(bed: Bed) {
        let first = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |_| Reply::Held(held.clone()));
        bed.publish(1).await;
        testkit::wait::until("it is under way", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        // The row changes hands while the attempt is under way.
        let other = bed.store.write(system(), store::Node::register).await.unwrap();
        let steal = "UPDATE queue SET owner = ?1, epoch = ?2";
        bed.store.write(system(), move |tx| tx.exec(steal, &[other.id.into(), other.epoch.into()])).await.unwrap();
        gate.open();
        bed.wait_quiet(&first).await;
        assert_eq!(bed.ended("delivered").await, 0);
        assert_eq!(bed.number("SELECT attempt_count FROM queue").await, 0);
    }

    async fn drain_waits_for_what_is_under_way(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { max_concurrency: 4, ..Policy::default() }).await;
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |_| Reply::Held(held.clone()));
        bed.publish(10).await;
        testkit::wait::until("four are under way", LIMIT, || async { (bed.channel.count() == 4).then_some(()) }).await;
        let mut draining = std::pin::pin!(dispatch.drain(LIMIT));
        // Once, so that it has begun before the first attempt ends.
        tokio::select! {
            biased;
            () = &mut draining => panic!("drained while four attempts were under way"),
            () = std::future::ready(()) => {}
        }
        gate.open();
        draining.await;
        assert_eq!((bed.ended("delivered").await, bed.queued().await, bed.attempts_logged().await), (4, 6, 4));
    }
}
