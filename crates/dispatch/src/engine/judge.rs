//! What follows from an attempt: for the delivery, and for the pace of its destination.

use std::time::Duration;

use kernel::Timestamp;

use super::Engine;
use super::lane::{Item, Lane, LaneState, Target};
use super::outcome::Verdict;
use crate::channel::{AttemptOutcome, AttemptReport};
use crate::destinations::Failing;
use crate::policy::MAX_WAIT_MS;

/// A receiver can ask all of a destination to wait; this long at most, since one answer speaks for one delivery.
const LONGEST_HOLD: Duration = Duration::from_secs(300);
/// Attempts that failed so long ago do not slow a destination down any more.
const RECOVERY: usize = 4;

impl Engine {
    pub(super) fn judge(&self, lane: &Lane, target: &Target, item: &Item, report: &AttemptReport) -> (Verdict, Option<Failing>) {
        let now = self.ambient.now();
        let mut state = lane.lock();
        let failing = self.pace(&mut state, target, report, now);
        let verdict = match &report.outcome {
            AttemptOutcome::Delivered => Verdict::Finish { status: "delivered", reason: "delivered" },
            AttemptOutcome::Gone => Verdict::Gone,
            AttemptOutcome::Refused(reason) => Verdict::Finish { status: "failed", reason },
            AttemptOutcome::Retry { after } => self.retry(&mut state, target, item, *after, now),
        };
        drop(state);
        measure(report);
        (verdict, failing)
    }

    fn retry(&self, state: &mut LaneState, target: &Target, item: &Item, after: Option<Duration>, now: Timestamp) -> Verdict {
        let policy = &target.destination.policy;
        let tried = (item.row.attempt_count + 1).saturating_sub(item.row.first_count);
        let Some(wait) = policy.wait_after(tried, &self.ambient) else {
            return Verdict::Finish { status: "failed", reason: "exhausted" };
        };
        let wait = after.map_or(wait, |after| after.clamp(Duration::from_secs(1), Duration::from_millis(MAX_WAIT_MS)));
        let due_at = now.plus(wait);
        if policy.ordered {
            // The row keeps its place in the database's order; the lane waits with it.
            state.hold_until = Some(due_at);
            state.forget_ready();
            return Verdict::Retry { due_at: item.row.due_at, shown: due_at };
        }
        Verdict::Retry { due_at, shown: due_at }
    }

    /// Adapts concurrency, breaker and pauses; answers when the destination turned for the worse or the better.
    fn pace(&self, state: &mut LaneState, target: &Target, report: &AttemptReport, now: Timestamp) -> Option<Failing> {
        if report.is_delivered() {
            if state.breaker.succeeded() {
                state.limit = state.limit.max(RECOVERY);
            }
            state.limit = (state.limit + 1).min(self.options.max_concurrency);
            return std::mem::take(&mut state.failing).then_some(Failing::No);
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
        (!std::mem::replace(&mut state.failing, true)).then_some(Failing::Since(now))
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
    };
    metrics::counter!("tradewind_delivery_attempts_total", "outcome" => outcome).increment(1);
    metrics::histogram!("tradewind_delivery_attempt_seconds").record(report.duration.as_secs_f64());
}
