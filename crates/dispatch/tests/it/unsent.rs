//! What ends without having been sent: expired, it is no attempt; cancelled by a transform, it is one that is logged and counts in no rate.

use std::sync::Arc;
use std::time::Duration;

use dispatch::rollups::{self, Rollup};
use dispatch::{Dispatch, Options, Policy, State, Turn};
use kernel::{DestinationId, Timestamp};
use serde_json::json;
use testkit::receiver::Gate;

use crate::bed::{Bed, LIMIT, Reply, system};
use crate::ledger::Told;

/// Retries after a minute, of what is worth something for 100 s.
fn brief() -> Policy {
    Policy { schedule_ms: vec![60_000; 5], expires_after_ms: Some(100_000), ..Policy::default() }
}

/// Resumes a paused destination when everything that waits for it has expired.
async fn resume_too_late(bed: &Bed, dispatch: &Dispatch, id: DestinationId) {
    bed.wait_quiet(dispatch).await;
    bed.clock.advance(Duration::from_secs(101));
    bed.set_state(id, State::Enabled).await;
    dispatch.poke();
}

/// All that is counted.
async fn counted(bed: &Bed) -> Rollup {
    let (tenant, from, to) = (bed.tenant, Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX / 2));
    let hours = bed.store.logs().read(system(), move |tx| rollups::by_hour(tx, tenant, None, from, to)).await.unwrap();
    let mut all = Rollup::default();
    hours.iter().for_each(|(_, hour)| all.merge(hour));
    all
}

/// `status/attempts/last status/last answer` of what ended with this reason.
async fn ended(bed: &Bed, reason: &'static str) -> Vec<String> {
    let sql = "SELECT status || '/' || attempt_count || '/' || COALESCE(CAST(last_status_code AS TEXT), '-') || '/' || COALESCE(response_body, '-') \
               FROM deliveries WHERE reason = ?1 ORDER BY seq";
    bed.store.read(system(), move |tx| tx.query(sql, &[reason.into()], |row| row.get(0))).await.unwrap()
}

async fn failing_since(bed: &Bed, id: DestinationId) -> Option<Timestamp> {
    let tenant = bed.tenant;
    bed.store.read(system(), move |tx| dispatch::destinations::get(tx, tenant, id)).await.unwrap().failing_since
}

testkit::engines! {
    /// Nothing is logged, journalled or counted of it, and nobody is told.
    async fn an_expiry_is_no_attempt(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let told = Arc::new(Told::default());
        dispatch.set_observer(Arc::<Told>::clone(&told));
        let id = bed.destination(brief()).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(2).await;
        resume_too_late(&bed, &dispatch, id).await;
        bed.wait_ended("expired", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((bed.channel.count(), bed.queued().await, bed.attempts_logged().await), (0, 0, 0));
        assert_eq!(ended(&bed, "expired").await, ["skipped/0/-/-", "skipped/0/-/-"]);
        assert_eq!(bed.number("SELECT COUNT(*) FROM attempt_journal").await, 0);
        assert_eq!(counted(&bed).await, Rollup::default());
        assert!(told.turns.lock().unwrap().is_empty() && told.lost.lock().unwrap().is_empty());
        // The lane goes on as ever.
        bed.publish(3).await;
        bed.wait_ended("delivered", 3).await;
        bed.wait_quiet(&dispatch).await;
        let all = counted(&bed).await;
        assert_eq!((all.attempts, all.succeeded, bed.attempts_logged().await), (3, 3, 3));
    }

    /// After a real failure everything stays as that left it: the delivery's attempts and last answer, the open breaker, since when nothing
    /// arrives.
    async fn an_expiry_says_nothing_about_the_receiver(bed: Bed) {
        bed.set_options(|options| Options { breaker_after: 1, ..options });
        let dispatch = bed.dispatch().await;
        let told = Arc::new(Told::default());
        dispatch.set_observer(Arc::<Told>::clone(&told));
        let id = bed.destination(brief()).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(1).await;
        testkit::wait::until("an attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        let since = failing_since(&bed, id).await;
        assert!(since.is_some() && dispatch.snapshot().broken == 1);
        bed.channel.answer(|_| Reply::Deliver);
        bed.set_state(id, State::Paused).await;
        bed.publish(2).await;
        resume_too_late(&bed, &dispatch, id).await;
        bed.wait_ended("expired", 3).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(ended(&bed, "expired").await, ["skipped/1/500/-", "skipped/0/-/-", "skipped/0/-/-"]);
        assert_eq!((bed.channel.count(), bed.attempts_logged().await), (1, 1));
        let all = counted(&bed).await;
        assert_eq!((all.attempts, all.succeeded, all.last_success_at), (1, 0, None));
        assert_eq!((failing_since(&bed, id).await, dispatch.snapshot().broken), (since, 1));
        assert!(told.turns.lock().unwrap().is_empty() && told.lost.lock().unwrap().is_empty());
        // It takes a delivery that arrives to close it.
        bed.publish(1).await;
        dispatch.poke();
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((failing_since(&bed, id).await, dispatch.snapshot().broken), (None, 0));
        assert_eq!(*told.turns.lock().unwrap(), [Turn::Recovered]);
    }

    /// What expires takes no turn under the rate limit, and gives its place at the host back.
    async fn an_expiry_takes_nobodys_turn(bed: Bed) {
        bed.set_options(|options| Options { max_per_host: 1, ..options });
        let dispatch = bed.dispatch().await;
        let host = json!({ "host": "shared.example:443" });
        let id = bed.destination_on("script", host.clone(), Policy { rate_per_second: Some(1), ..brief() }).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(30).await;
        resume_too_late(&bed, &dispatch, id).await;
        // The clock stands still.
        bed.wait_ended("expired", 30).await;
        bed.destination_on("script", host, Policy::default()).await;
        bed.publish(1).await;
        bed.wait_ended("delivered", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!((bed.channel.count(), bed.queued().await), (2, 0));
    }

    /// What stands on a slip ends there, or in the queue if the slip was taken apart meanwhile: once, and nothing is left of either.
    async fn what_expires_on_a_slip_ends_there(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { max_concurrency: 1, ..brief() }).await;
        bed.publish(1).await;
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        let gate = Gate::closed();
        let held = gate.clone();
        bed.channel.answer(move |_| Reply::Held(held.clone()));
        bed.publish(3).await;
        // The channel has it: on its way to there it could still expire.
        testkit::wait::until("one is being sent", LIMIT, || async { (bed.channel.count() == 2).then_some(()) }).await;
        bed.clock.advance(Duration::from_secs(101));
        gate.open();
        bed.wait_ended("expired", 2).await;
        bed.wait_ended("delivered", 2).await;
        bed.wait_quiet(&dispatch).await;
        let empty = || async { (bed.number("SELECT COUNT(*) FROM slips").await == 0).then_some(()) };
        testkit::wait::until("no slip is left", LIMIT, empty).await;
        assert_eq!((bed.channel.count(), bed.queued().await, bed.attempts_logged().await), (2, 0, 2));
        let all = counted(&bed).await;
        assert_eq!((all.attempts, all.succeeded), (2, 2));
    }

    /// Ordered: what waits behind an expired one has its turn.
    async fn an_expiry_holds_up_nothing_behind_it(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy { ordered: true, ..brief() }).await;
        let keyed = |bed: &Bed| kernel::Event { ordering_key: Some("a".to_owned()), ..bed.event(b"{}") };
        bed.set_state(id, State::Paused).await;
        bed.emit(vec![keyed(&bed), keyed(&bed)]).await;
        bed.wait_quiet(&dispatch).await;
        bed.clock.advance(Duration::from_secs(60));
        bed.emit(vec![keyed(&bed), keyed(&bed)]).await;
        bed.wait_quiet(&dispatch).await;
        bed.clock.advance(Duration::from_secs(50));
        bed.set_state(id, State::Enabled).await;
        dispatch.poke();
        bed.wait_ended("delivered", 2).await;
        assert_eq!(bed.ended("expired").await, 2);
        assert_eq!(bed.channel.seen().iter().map(|seen| (seen.seq, seen.number)).collect::<Vec<_>>(), [(3, 1), (4, 1)]);
    }

    /// A cancelled delivery has its attempt in the log, and is in no count: not even when the log is completed after a crash.
    async fn a_cancelled_attempt_is_logged_and_counts_in_no_rate(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy::default()).await;
        bed.channel.answer(|seen| if seen.seq > 1 { Reply::Cancel } else { Reply::Status(400) });
        bed.publish(3).await;
        bed.wait_ended("cancelled", 2).await;
        bed.wait_quiet(&dispatch).await;
        assert_eq!(ended(&bed, "cancelled").await, ["skipped/1/-/-", "skipped/1/-/-"]);
        let all = counted(&bed).await;
        assert_eq!((all.attempts, all.succeeded, all.last_success_at, bed.attempts_logged().await), (1, 0, None, 3));
        assert_eq!(all.durations.counts.iter().sum::<u64>(), 1);
        // As if the crash had come before the log was written.
        for table in ["attempts", "attempt_rollups"] {
            bed.store.logs().write(system(), move |tx| tx.exec(&format!("DELETE FROM {table}"), &[])).await.unwrap();
        }
        assert!(bed.number("SELECT COUNT(*) FROM attempt_journal").await > 0);
        bed.crash(dispatch).await;
        bed.clock.advance(Duration::from_mins(5));
        bed.channel.answer(|_| Reply::Status(400));
        let _next = bed.dispatch().await;
        let empty = || async { (bed.number("SELECT COUNT(*) FROM attempt_journal WHERE attempts LIKE '%is_skipped%'").await == 0).then_some(()) };
        testkit::wait::until("the journal to be worked off", LIMIT, empty).await;
        let sql = "SELECT COUNT(*) FROM attempts WHERE error_kind IS NULL AND status_code IS NULL";
        let logged: i64 = bed.store.logs().read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
        let all = counted(&bed).await;
        assert!(logged == 2 && all.succeeded == 0 && all.last_success_at.is_none() && all.attempts >= 1, "{logged} {all:?}");
    }
}
