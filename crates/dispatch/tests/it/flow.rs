//! The happy path, and who delays whom.

use dispatch::{Options, Policy};
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply, system};

testkit::engines! {
    async fn everything_arrives_once_and_is_recorded(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.publish(1200).await;
        bed.wait_ended("delivered", 1200).await;
        bed.wait_quiet(&dispatch).await;
        let mut seqs: Vec<i64> = bed.channel.seen().iter().map(|seen| seen.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=1200).collect::<Vec<_>>());
        assert_eq!(bed.queued().await, 0);
        assert_eq!(bed.attempts_logged().await, 1200);
        dispatch.drain(LIMIT).await;
        assert_eq!(bed.number("SELECT COUNT(*) FROM attempt_journal").await, 0);
        let id = dispatch.node().id;
        let stopped = bed.store.read(system(), move |tx| tx.query_one("SELECT stopped_at FROM nodes WHERE id = ?1", &[id.into()], |row| row.get::<Option<i64>>(0)));
        assert!(stopped.await.unwrap().is_some());
    }

    async fn a_dead_destination_keeps_little_in_memory_and_delays_nobody(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let dead = bed.destination(Policy::default()).await;
        bed.channel.answer(move |seen| if seen.destination == dead { Reply::Status(500) } else { Reply::Deliver });
        bed.publish(20_000).await;
        let healthy = bed.destination(Policy::default()).await;
        bed.only(&[healthy, dead]);
        bed.publish(500).await;
        bed.wait_ended("delivered", 500).await;
        bed.wait_quiet(&dispatch).await;
        let now = dispatch.snapshot();
        assert!(now.ready <= 512 && now.broken == 1, "{now:?}");
        assert_eq!(bed.queued().await, 20_500);
        let attempts = bed.channel.seen().iter().filter(|seen| seen.destination == dead).count();
        assert!((10..200).contains(&attempts), "{attempts} attempts at a dead destination");
    }

    async fn a_hanging_destination_leaves_places_for_others(bed: Bed) {
        bed.set_options(|options| Options { max_in_flight_total: 20, memory: 50_000, ..options });
        let dispatch = bed.dispatch().await;
        let (slow, quick) = (bed.destination(Policy::default()).await, bed.destination(Policy::default()).await);
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |seen| if seen.destination == slow { Reply::Held(held.clone()) } else { Reply::Deliver });
        bed.publish(1000).await;
        let delivered = || async { (bed.ended("delivered").await >= 1000).then_some(()) };
        testkit::wait::until("the quick one has all", LIMIT, delivered).await;
        assert!(bed.channel.seen().iter().filter(|seen| seen.destination == quick).count() == 1000);
        assert!(dispatch.snapshot().ready_most <= 512);
        gate.open();
        bed.wait_ended("delivered", 2000).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.channel.count(), 2000);
    }

    async fn deliver_at_waits_for_its_time(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        let mut event = bed.event(b"{}");
        event.deliver_at = Some(bed.ambient.now().plus(std::time::Duration::from_secs(3600)));
        bed.emit(vec![event]).await;
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        bed.clock.advance(std::time::Duration::from_secs(3599));
        dispatch.poke();
        bed.publish(1).await;
        bed.wait_ended("delivered", 2).await;
        bed.clock.advance(std::time::Duration::from_secs(1));
        dispatch.poke();
        bed.wait_ended("delivered", 3).await;
    }

    async fn a_rate_is_kept(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { rate_per_second: Some(10), ..Policy::default() }).await;
        bed.publish(30).await;
        testkit::wait::until("the first", LIMIT, || async { (bed.channel.count() > 0).then_some(()) }).await;
        let mut rounds = 0;
        while bed.channel.count() < 30 {
            let before = bed.channel.count();
            bed.wait_quiet(&dispatch).await;
            bed.clock.advance(std::time::Duration::from_millis(100));
            dispatch.poke();
            testkit::wait::until("one more", LIMIT, || async { (bed.channel.count() > before).then_some(()) }).await;
            rounds += 1;
        }
        assert!(rounds >= 29, "30 attempts at 10 a second took {rounds} tenths of a second");
    }
}
