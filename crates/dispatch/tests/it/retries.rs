//! Schedules, 410.

use std::time::Duration;

use dispatch::{NATIVE_SCHEDULE_MS, Policy, State};

use crate::bed::{Bed, LIMIT, Reply, system};

pub(crate) async fn advance_until(
    bed: &Bed,
    dispatch: &dispatch::Dispatch,
    step: Duration,
    what: &str,
    mut done: impl AsyncFnMut() -> bool,
) {
    let end = std::time::Instant::now() + 2 * LIMIT;
    while !done().await {
        assert!(std::time::Instant::now() < end, "in vain: {what}");
        bed.clock.advance(step);
        dispatch.poke();
        bed.wait_quiet(dispatch).await;
    }
}

testkit::engines! {
    /// What is worth nothing any more is not attempted: after a failure whose retry would come too late, and after a pause. What somebody asks for
    /// again is worth something again.
    async fn what_has_expired_is_skipped(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.channel.answer(|_| Reply::Status(500));
        let policy = Policy { schedule_ms: vec![60_000; 5], expires_after_ms: Some(100_000), ..Policy::default() };
        let id = bed.destination(policy).await;
        bed.publish(1).await;
        testkit::wait::until("an attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.queued().await, 1, "the first retry is in time");
        bed.clock.advance(Duration::from_secs(70));
        dispatch.poke();
        bed.wait_ended("expired", 1).await;
        assert_eq!(bed.channel.count(), 2, "the second one would not be");
        bed.channel.answer(|_| Reply::Deliver);
        bed.set_state(id, dispatch::State::Paused).await;
        bed.publish(2).await;
        bed.wait_quiet(&dispatch).await;
        bed.clock.advance(Duration::from_secs(101));
        bed.set_state(id, dispatch::State::Enabled).await;
        dispatch.poke();
        bed.wait_ended("expired", 3).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((bed.channel.count(), bed.queued().await), (2, 0));
        let sql = "SELECT MIN(status) || MAX(status) FROM deliveries";
        let status: String = bed.store.read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(status, "skippedskipped");
        let tenant = bed.tenant;
        let filter = dispatch::deliveries::DeliveryFilter { destination: Some(id), ..Default::default() };
        let again = std::sync::Arc::clone(&dispatch);
        bed.store
            .write(system(), move |tx| {
                let ended = dispatch::deliveries::list(tx, tenant, &filter, &kernel::PageRequest::default())?.data;
                again.requeue(tx, tenant, &ended)
            })
            .await
            .unwrap();
        bed.wait_ended("delivered", 3).await;
    }

    async fn the_native_schedule_ends_exhausted(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(1).await;
        for (number, wait) in (1_usize..).zip(NATIVE_SCHEDULE_MS) {
            testkit::wait::until("an attempt", LIMIT, || async { (bed.channel.count() == number).then_some(()) }).await;
            bed.wait_quiet(&dispatch).await;
            let due = bed.number("SELECT due_at FROM queue").await - bed.ambient.now().millis();
            let wait = i64::try_from(wait).unwrap();
            assert!((wait / 10 * 9..=wait / 10 * 11).contains(&due), "attempt {number}: {due} for {wait}");
            bed.clock.advance(Duration::from_millis(u64::try_from(due).unwrap() - 1));
            dispatch.poke();
            bed.wait_quiet(&dispatch).await;
            assert_eq!(bed.channel.count(), number, "too early");
            bed.clock.advance(Duration::from_millis(1));
            dispatch.poke();
        }
        bed.wait_ended("exhausted", 1).await;
        assert_eq!(bed.channel.count(), 10);
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.attempts_logged().await, 10);
    }

    async fn a_day_of_silence_loses_nothing(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        let back = bed.ambient.now().plus(Duration::from_hours(24));
        bed.channel.answer(move |seen| if seen.at < back { Reply::Status(503) } else { Reply::Deliver });
        bed.publish(400).await;
        testkit::wait::until("the breaker opens", LIMIT, || async { (dispatch.snapshot().broken == 1).then_some(()) }).await;
        while bed.ambient.now() < back.minus(Duration::from_mins(30)) {
            bed.wait_quiet(&dispatch).await;
            let before = bed.channel.count();
            bed.clock.advance(Duration::from_mins(10));
            dispatch.poke();
            testkit::wait::until("a probe every ten minutes", LIMIT, || async { (bed.channel.count() > before).then_some(()) }).await;
        }
        bed.wait_quiet(&dispatch).await;
        assert!(dispatch.snapshot().ready <= 512);
        let tenant = bed.tenant;
        let failing = bed.store.read(crate::bed::system(), move |tx| dispatch::destinations::get(tx, tenant, id)).await.unwrap().failing_since;
        assert!(failing.is_some());
        advance_until(&bed, &dispatch, Duration::from_mins(10), "all arrive", async || bed.ended("delivered").await == 400).await;
        assert_eq!(bed.queued().await, 0);
        let failing = bed.store.read(crate::bed::system(), move |tx| dispatch::destinations::get(tx, tenant, id)).await.unwrap().failing_since;
        assert_eq!(failing, None);
    }

    async fn what_nobody_could_attempt_any_more_ends(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { schedule_ms: vec![2000, 4000, 8000], ..Policy::default() }).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(600).await;
        advance_until(&bed, &dispatch, Duration::from_secs(30), "all end", async || bed.ended("exhausted").await == 600).await;
        assert_eq!(bed.queued().await, 0);
    }

    async fn gone_disables_and_the_rest_is_skipped(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy { max_concurrency: 1, ..Policy::default() }).await;
        bed.channel.answer(|_| Reply::Gone);
        bed.publish(900).await;
        let all = || async { (bed.queued().await == 0).then_some(()) };
        testkit::wait::until("nothing is pending", LIMIT, all).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(bed.state(id).await, (State::Disabled, Some("gone".to_owned())));
        let (gone, disabled) = (bed.ended("gone").await, bed.ended("disabled").await);
        assert!(gone >= 1 && gone + disabled == 900 && disabled > 0, "{gone} + {disabled}");
        assert_eq!(bed.number("SELECT COUNT(*) FROM audit_log WHERE action = 'webhook.disable'").await, 1);
    }
}
