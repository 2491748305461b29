//! Attempts counted by hour: each once, whatever happens between the log and the count.

use std::time::Duration;

use dispatch::rollups::{self, Rollup};
use dispatch::{Policy, State};
use kernel::{DestinationId, Timestamp};

use crate::bed::{Bed, LIMIT, Reply, system};

async fn hours(bed: &Bed, destination: Option<DestinationId>) -> Vec<(Timestamp, Rollup)> {
    let (tenant, from, to) = (bed.tenant, Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX / 2));
    bed.store.logs().read(system(), move |tx| rollups::by_hour(tx, tenant, destination, from, to)).await.unwrap()
}

async fn total(bed: &Bed, destination: Option<DestinationId>) -> (u64, u64) {
    hours(bed, destination).await.iter().fold((0, 0), |(all, good), (_, hour)| (all + hour.attempts, good + hour.succeeded))
}

testkit::engines! {
    /// By destination and hour, with the failures and the durations.
    async fn attempts_are_counted_by_hour(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let one = bed.destination(Policy { schedule_ms: vec![3_600_000], ..Policy::default() }).await;
        let two = bed.destination(Policy::default()).await;
        bed.channel.answer(move |seen| if seen.destination == one && seen.number == 1 { Reply::Status(500) } else { Reply::Deliver });
        bed.publish(5).await;
        bed.wait_ended("delivered", 5).await;
        bed.wait_quiet(&dispatch).await;
        bed.clock.advance(Duration::from_hours(2));
        dispatch.poke();
        bed.wait_ended("delivered", 10).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((total(&bed, Some(one)).await, total(&bed, Some(two)).await), ((10, 5), (5, 5)));
        let seen = hours(&bed, None).await;
        assert_eq!(seen.iter().map(|(_, hour)| (hour.attempts, hour.succeeded)).collect::<Vec<_>>(), [(10, 5), (5, 5)]);
        assert_eq!(seen[1].0.since(seen[0].0), Duration::from_hours(2));
        assert_eq!((seen[0].1.durations.percentile(99), seen[0].1.duration_ms), (Some(1), 10));
        assert!(seen[0].1.last_success_at.is_some() && seen[0].1.last_failure_at.is_some() && seen[1].1.last_failure_at.is_none());
        assert!(rollups_of_a_stranger(&bed).await.is_empty());
    }

    /// A test delivery counts in no rate, and a skipped one is no attempt.
    async fn tests_and_skips_are_not_counted(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        dispatch.send_now(bed.tenant, id, std::sync::Arc::new(bed.event(b"{}"))).await.unwrap();
        bed.set_state(id, State::Paused).await;
        bed.publish(2).await;
        bed.set_state(id, State::Disabled).await;
        bed.wait_ended("disabled", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((total(&bed, None).await, bed.attempts_logged().await), ((0, 0), 1));
    }

    /// After a crash the journal completes the log; what the log had already is not counted again.
    async fn a_crash_counts_nothing_twice(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.publish(40).await;
        bed.wait_ended("delivered", 40).await;
        bed.wait_quiet(&dispatch).await;
        // Forgetting the journal goes with a later group: as a crash right now would find it.
        assert!(bed.number("SELECT COUNT(*) FROM attempt_journal").await > 0);
        bed.crash(dispatch).await;
        bed.clock.advance(Duration::from_mins(5));
        let next = bed.dispatch().await;
        let empty = || async { (bed.number("SELECT COUNT(*) FROM attempt_journal").await == 0).then_some(()) };
        testkit::wait::until("the journal to be worked off", LIMIT, empty).await;
        bed.wait_quiet(&next).await;
        assert_eq!((total(&bed, None).await, bed.attempts_logged().await), ((40, 40), 40));
    }
}

async fn rollups_of_a_stranger(bed: &Bed) -> Vec<(Timestamp, Rollup)> {
    let (stranger, from, to) = (bed.ambient.id(), Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX / 2));
    bed.store.logs().read(system(), move |tx| rollups::by_hour(tx, stranger, None, from, to)).await.unwrap()
}
