//! What follows from an attempt: for the delivery, and for the pace of its destination.

use std::time::Duration;

use kernel::Timestamp;

use super::Engine;
use super::lane::{Item, Lane, LaneState, Target};
use super::outcome::{Turned, Verdict};
use crate::channel::{AttemptOutcome, AttemptReport};
use crate::destinations::Failing;
use crate::policy::MAX_WAIT_MS;

/// A receiver can ask all of a destination to wait; this long at most, since one answer speaks for one delivery.
const LONGEST_HOLD: Duration = Duration::from_secs(300);
/// Nothing has to arrive for so long before anybody is told.
const TELL_AFTER: Duration = Duration::from_mins(5);
/// Attempts that failed so long ago do not slow a destination down any more.
const RECOVERY: usize = 4;

impl Engine {
    pub(super) fn judge(&self, lane: &Lane, target: &Target, item: &Item, report: &AttemptReport) -> (Verdict, Turned) {
        let now = self.ambient.now();
        let mut state = lane.lock();
        let turn = self.pace(&mut state, target, report, now);
        let verdict = match &report.outcome {
            AttemptOutcome::Delivered => Verdict::Finish { status: "delivered", reason: "delivered" },
            AttemptOutcome::Gone => Verdict::Gone,
            AttemptOutcome::Refused(reason) => Verdict::Finish { status: "failed", reason },
            AttemptOutcome::Skipped(reason) => Verdict::Finish { status: "skipped", reason },
            AttemptOutcome::Retry { after } => self.retry(target, item, *after, now),
        };
        drop(state);
        measure(report);
        (verdict, turn)
    }

    fn retry(&self, target: &Target, item: &Item, after: Option<Duration>, now: Timestamp) -> Verdict {
        let policy = &target.destination.policy;
        let tried = (item.row.attempt_count + 1).saturating_sub(item.row.first_count);
        let Some(wait) = policy.wait_after(tried, &self.ambient) else {
            return Verdict::Finish { status: "failed", reason: "exhausted" };
        };
        // Not before the receiver wants it, and not before its turn: one that says "now" does not use up its own retries.
        let wait = after.map_or(wait, |after| after.min(Duration::from_millis(MAX_WAIT_MS)).max(wait));
        let due_at = now.plus(wait);
        if policy.is_expired(item.row.first_at, due_at) {
            return Verdict::EXPIRED;
        }
        Verdict::Retry { due_at }
    }

    /// Adapts concurrency, breaker and pauses; answers when the destination turned for the worse or the better.
    fn pace(&self, state: &mut LaneState, target: &Target, report: &AttemptReport, now: Timestamp) -> Turned {
        if report.is_delivered() {
            if state.breaker.succeeded() {
                state.limit = state.limit.max(RECOVERY);
            }
            state.limit = (state.limit + 1).min(self.options.max_concurrency);
            return Turned { failing: state.failing.take().map(|_| Failing::No), is_given_up: false, failing_since: None };
        }
        if !report.is_about_receiver() {
            return Turned::default();
        }
        let busy = matches!(report.status_code, Some(429 | 503));
        let trouble = report.status_code.is_none_or(|code| code == 429 || code >= 500);
        if trouble {
            state.limit = (state.limit / 2).max(1);
        }
        if let AttemptOutcome::Retry { after: Some(after) } = report.outcome
            && busy
        {
            let until = now.plus(after.clamp(Duration::from_secs(1), LONGEST_HOLD));
            state.hold_until = Some(state.hold_until.map_or(until, |old| old.max(until)));
        }
        let options = &self.options;
        let asked_to_wait = report.status_code == Some(429);
        if !asked_to_wait && state.breaker.failed(now, options.breaker_after, options.breaker_first, self.longest_break(target)) {
            // A dead destination keeps nothing in memory.
            state.forget_ready();
        }
        match state.failing {
            None => {
                state.failing = Some(now);
                Turned { failing: Some(Failing::Since(now)), is_given_up: false, failing_since: None }
            }
            Some(since) => Turned {
                failing: None,
                is_given_up: now.since(since) >= options.disable_after,
                failing_since: Some(since).filter(|since| now.since(*since) >= TELL_AFTER),
            },
        }
    }

    /// Probes come at least as often as the policy's longest wait, so that a short schedule is not outwaited.
    fn longest_break(&self, target: &Target) -> Duration {
        let longest_wait = target.destination.policy.schedule_ms.iter().max().copied().unwrap_or(0);
        Duration::from_millis(longest_wait).clamp(self.options.breaker_first, self.options.breaker_longest.max(self.options.breaker_first))
    }
}

fn measure(report: &AttemptReport) {
    let outcome = match report.outcome {
        AttemptOutcome::Delivered => "delivered",
        AttemptOutcome::Retry { .. } => "failed",
        AttemptOutcome::Gone => "gone",
        AttemptOutcome::Refused(_) => "refused",
        AttemptOutcome::Skipped(_) => "skipped",
    };
    metrics::counter!("tradewind_delivery_attempts_total", "outcome" => outcome).increment(1);
    metrics::histogram!("tradewind_delivery_attempt_seconds").record(report.duration.as_secs_f64());
}
