//! What happens by itself: jobs whose time has come, leases that ran out, deadlines that passed, schedules that are due.
//!
//! Every node looks, when the earliest of these is due, and every few seconds in any case; each step changes only what is still as it was when
//! it was found, so that it does no harm when several look.

mod figures;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{Result, Timestamp};
use tokio::sync::Notify;

use crate::{Jobs, lanes, schedules};

/// Looks at most so far apart: another node may have written what is due.
const LOOK: Duration = Duration::from_secs(5);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// Figures are counted so often.
const FIGURES: Duration = Duration::from_secs(15);
/// Addresses that nobody uses any more go so often.
const TIDY: Duration = Duration::from_hours(1);

/// When the next look is due.
pub(crate) struct Keeper {
    next: AtomicI64,
    sooner: Notify,
}

impl Default for Keeper {
    fn default() -> Self {
        Self { next: AtomicI64::new(i64::MAX), sooner: Notify::new() }
    }
}

impl Keeper {
    /// What was found to be due next, by the one who waits for it; answers what he should wait for. He is not told: he would look again at once,
    /// and for ever.
    fn expect(&self, at: Option<Timestamp>) -> Timestamp {
        let at = at.map_or(i64::MAX, Timestamp::millis);
        Timestamp::from_millis(self.next.fetch_min(at, Ordering::SeqCst).min(at))
    }

    /// Something is due then.
    pub(crate) fn look_by(&self, at: Option<Timestamp>) {
        let Some(at) = at.map(Timestamp::millis) else { return };
        if self.next.fetch_min(at, Ordering::SeqCst) > at {
            self.sooner.notify_one();
        }
    }
}

pub(crate) fn start(jobs: &Arc<Jobs>) {
    let (weak, closed) = (Arc::downgrade(jobs), jobs.closed.clone());
    tokio::spawn(async move {
        let (mut figures, mut tidied) = (None, None);
        loop {
            let Some(jobs) = weak.upgrade() else { return };
            let wait = jobs.look_again().await;
            jobs.now_and_then(&mut figures, FIGURES, Jobs::count).await;
            jobs.now_and_then(&mut tidied, TIDY, Jobs::tidy).await;
            // While it waits, it does not keep alive what a later front has replaced.
            let keeper = Arc::clone(&jobs.keeper);
            drop(jobs);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = keeper.sooner.notified() => {}
                () = closed.cancelled() => return,
            }
        }
    });
}

impl Jobs {
    /// Looks at everything that is due now, for tests that have moved a clock; answers when something is due next.
    pub async fn look(self: &Arc<Self>) -> Result<Option<Timestamp>> {
        self.begin_due().await?;
        self.take_back_lost().await?;
        self.end_overdue().await?;
        schedules::fire_due(self).await?;
        self.next_due().await
    }

    /// How long to wait for the next look.
    async fn look_again(self: &Arc<Self>) -> Duration {
        self.keeper.next.store(i64::MAX, Ordering::SeqCst);
        match self.look().await {
            Ok(next) => self.keeper.expect(next).since(self.ambient.now()).min(LOOK),
            Err(error) => {
                tracing::warn!(?error, "what is due of jobs could not be looked at; it is tried again");
                AGAIN
            }
        }
    }

    async fn now_and_then<F: Future<Output = Result<()>>>(
        self: &Arc<Self>,
        last: &mut Option<Timestamp>,
        every: Duration,
        act: impl FnOnce(Arc<Self>) -> F,
    ) {
        let now = self.ambient.now();
        if last.is_some_and(|last| now.since(last) < every) {
            return;
        }
        *last = Some(now);
        if let Err(error) = act(Arc::clone(self)).await {
            tracing::warn!(?error, "figures of jobs could not be counted, or old addresses not be deleted");
        }
    }

    async fn tidy(self: Arc<Self>) -> Result<()> {
        while self.store.write(crate::scope(), Self::forget_addresses).await? > 0 {}
        self.settle().await
    }

    /// Gives their places to jobs that a limit held which the blueprint no longer has, or has no longer so low.
    pub async fn settle(self: &Arc<Self>) -> Result<()> {
        let mut after = Some((String::new(), String::new()));
        while let Some(before) = after {
            let jobs = Arc::clone(self);
            after = self.store.write(crate::scope(), move |tx| lanes::settle(tx, &jobs.catalogue, &before)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn at(millis: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(millis))
    }

    #[test]
    fn whoever_waits_is_told_only_of_what_is_due_sooner() {
        let keeper = Keeper::default();
        let told = || keeper.sooner.notified().now_or_never().is_some();
        assert_eq!(keeper.expect(at(1000)), Timestamp::from_millis(1000));
        assert!(!told(), "by what it found itself");
        keeper.look_by(at(2000));
        assert!(!told(), "by what is due later");
        keeper.look_by(at(500));
        assert!(told());
        assert_eq!(keeper.expect(None), Timestamp::from_millis(500), "what came during the look counts");
        assert!(!told());
    }
}
