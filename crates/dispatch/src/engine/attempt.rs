//! One attempt after another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::TenantId;

use super::lane::{Item, Lane, Target};
use super::outcome::{Outcome, Turned, Verdict};
use super::{Engine, Next, log};
use crate::channel::{AttemptInput, AttemptOutcome, AttemptReport};

/// What a channel may take beyond the time-out that it was given.
const GRACE: Duration = Duration::from_secs(5);

impl Engine {
    /// Makes attempts for one lane on one place, as long as it is this lane's turn.
    pub(super) async fn work(self: Arc<Self>, lane: Arc<Lane>, target: Arc<Target>, item: Item) {
        let tenant = target.destination.tenant;
        let mut next = Some((target, item));
        while let Some((target, item)) = next {
            self.one(&lane, &target, item).await;
            next = self.go_on(&lane, tenant);
        }
    }

    async fn one(self: &Arc<Self>, lane: &Arc<Lane>, target: &Target, item: Item) {
        let started_at = self.ambient.now();
        let number = item.row.attempt_count + 1;
        let input = AttemptInput {
            destination: &target.destination,
            prepared: &target.prepared,
            event: &item.event,
            delivery: item.row.id,
            seq: item.row.seq,
            number,
            now: started_at,
            timeout: target.destination.policy.timeout(),
            trace: None,
        };
        // What is worth nothing any more is not sent: that is no attempt, and says nothing about the receiver or its host.
        let is_expired = target.destination.policy.is_expired(item.row.first_at, started_at);
        let report = if is_expired { None } else { Some(attempt(target, &input).await) };
        let logged = report.as_ref().map(|report| log::logged(self.ambient.id(), &item.row, number, started_at, report));
        let (verdict, turn) = match &report {
            Some(report) => self.judge(lane, target, &item, report),
            None => {
                lane.lock().not_sent(target);
                (Verdict::EXPIRED, Turned::default())
            }
        };
        if let Some(host) = &target.host {
            let now = self.ambient.now();
            match &report {
                Some(report) => host.leave(report, now, &self.options),
                None => host.turn_back(),
            }
            while let Some(waiting) = host.next(now, self.options.max_per_host) {
                self.look_at(waiting);
            }
        }
        let outcome = Outcome::new(item, Arc::clone(lane), verdict, turn, logged);
        if self.outcomes.send(outcome).await.is_err() {
            // The writer ends only with the engine; the row is as it was, and will be attempted again by whoever owns it next.
            self.settle_one();
        }
    }

    /// The next delivery for the same place; or the place goes to whoever waits.
    fn go_on(self: &Arc<Self>, lane: &Arc<Lane>, tenant: TenantId) -> Option<(Arc<Target>, Item)> {
        let mut state = lane.lock();
        state.in_flight -= 1;
        if self.runs() && !state.queued && !self.slots.others_wait(tenant) {
            let now = self.ambient.now();
            if state.ready.len() <= self.options.ready_per_destination / 4 {
                self.begin_load(lane, &mut state, now);
            }
            if let Next::Begun(target, item) = self.next(lane.id, &mut state, now) {
                self.begin_attempts(lane, &mut state, now);
                return Some((target, item));
            }
        }
        drop(state);
        self.slots.give(tenant);
        self.visit(lane);
        self.serve_waiting();
        None
    }
}

/// One attempt through the channel, which may neither hang nor take the worker with it.
pub(crate) async fn attempt(target: &Target, input: &AttemptInput<'_>) -> AttemptReport {
    let limit = input.timeout + GRACE;
    let retry = AttemptOutcome::Retry { after: None };
    let trying = AssertUnwindSafe(target.channel.attempt(input)).catch_unwind();
    match tokio::time::timeout(limit, trying).await {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => AttemptReport::failure(retry, "panic", "the channel broke down", Duration::ZERO),
        Err(_) => AttemptReport::failure(retry, "timeout", "the channel did not keep its time", limit),
    }
}
