//! What runs by itself: syncs whose time has come, runs that wait or were parked, work of realtime syncs. Every node looks; who runs a sync is decided
//! by its lease.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{Result, Timestamp};
use store::Change;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::engine::{Next, Runner};
use crate::ledger::Of;
use crate::runs::{self, Mode, sql};
use crate::{Syncs, TOPIC_CONFIGS, TOPIC_WORK, configs};

/// Looks at most so far apart: another node may have written what is due, or have died.
const LOOK: Duration = Duration::from_secs(5);
/// After something failed that should not.
const AGAIN: Duration = Duration::from_secs(5);
/// After a realtime sync met what only somebody can mend.
const TROUBLED: Duration = Duration::from_mins(1);
/// After a realtime sync left what it may not do yet.
const BREATH: Duration = Duration::from_secs(1);
/// Syncs that one node runs at a time.
const AT_ONCE: usize = 16;
/// Those of one tenant: whatever its vendors do, it never holds more than half of the places.
const OF_ONE: usize = AT_ONCE / 2;
/// Rows of one look.
const MOST: u32 = 400;

/// What a node is at.
#[derive(Default)]
pub(crate) struct Scheduler {
    sooner: Notify,
    tasks: TaskTracker,
    state: Mutex<Doing>,
}

#[derive(Default)]
struct Doing {
    /// Syncs that this node runs.
    running: HashSet<Of>,
    /// Syncs that rest, because their vendor or their account wants it.
    resting: HashMap<Of, Timestamp>,
}

impl Scheduler {
    /// A change notice.
    pub(crate) fn judge(&self, change: &Change) {
        if change.concerns(TOPIC_WORK) || change.concerns(TOPIC_CONFIGS) {
            self.sooner.notify_one();
        }
    }

    pub(crate) async fn drain(&self, deadline: Duration) {
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some syncs could not be handed back; their leases will run out");
        }
    }

    /// Takes a place for a sync; false: it has one, it rests, or there is none left.
    fn take(&self, of: Of, now: Timestamp) -> bool {
        let mut doing = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        doing.resting.retain(|_, until| *until > now);
        let theirs = doing.running.iter().filter(|one| one.tenant == of.tenant).count();
        !doing.resting.contains_key(&of) && doing.running.len() < AT_ONCE && theirs < OF_ONE && doing.running.insert(of)
    }

    fn give_back(&self, of: Of, rest: Option<Timestamp>) {
        let mut doing = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        doing.running.remove(&of);
        if let Some(until) = rest {
            doing.resting.insert(of, until);
        }
        drop(doing);
        self.sooner.notify_one();
    }

    fn next_rest(&self) -> Option<Timestamp> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).resting.values().min().copied()
    }
}

pub(crate) fn start(syncs: &Arc<Syncs>) {
    let (weak, closed) = (Arc::downgrade(syncs), syncs.closed.clone());
    tokio::spawn(async move {
        loop {
            let Some(syncs) = weak.upgrade() else { return };
            let wait = match syncs.look_around().await {
                Ok(next) => next.map_or(LOOK, |next| next.since(syncs.ambient.now()).min(LOOK)),
                Err(error) => {
                    tracing::warn!(?error, "what is due of syncs could not be looked at; it is tried again");
                    AGAIN
                }
            };
            let sooner = syncs.scheduler.sooner.notified();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = sooner => {}
                () = closed.cancelled() => return,
            }
        }
    });
}

impl Syncs {
    /// Queues the runs of syncs whose time has come.
    ///
    /// Errors: the store's.
    pub async fn fire_due(self: &Arc<Self>) -> Result<()> {
        let syncs = Arc::clone(self);
        self.store
            .write(crate::scope(), move |tx| {
                let now = tx.now();
                for row in configs::sql::due(tx, now, MOST)? {
                    let (of, settings) = (Of { tenant: row.tenant, sync: row.config.id }, &row.config.settings);
                    let next =
                        settings.schedule().and_then(|schedule| schedule.next(&settings.timezone, settings.poll(), now)).unwrap_or(None);
                    if configs::sql::move_on(tx, &row, next)? {
                        let wanted = if row.full_at.is_some_and(|at| at <= now) { Mode::Full } else { Mode::Incremental };
                        // A vendor that is slower than its schedule is not given more and more to do.
                        if sql::open(tx, of)?.is_empty() {
                            runs::queue(tx, of, runs::asked(&row, wanted), false, "schedule")?;
                        }
                    }
                }
                let _ = &syncs;
                Ok(())
            })
            .await
    }

    /// Begins what can begin now; answers when something is due next.
    async fn look_around(self: &Arc<Self>) -> Result<Option<Timestamp>> {
        self.fire_due().await?;
        let (ready, lively, next) = self
            .store
            .read(crate::scope(), |tx| {
                let next = [configs::sql::next_due(tx)?, sql::next_parked(tx)?].into_iter().flatten().min();
                Ok((sql::ready(tx, MOST)?, sql::lively(tx, MOST)?, next))
            })
            .await?;
        let now = self.ambient.now();
        for (of, is_lively) in ready.into_iter().map(|of| (of, false)).chain(lively.into_iter().map(|of| (of, true))) {
            if self.closed.is_cancelled() || !self.scheduler.take(of, now) {
                continue;
            }
            let syncs = Arc::clone(self);
            self.scheduler.tasks.spawn(async move {
                let rest = syncs.work(of, is_lively).await;
                syncs.scheduler.give_back(of, rest);
            });
        }
        Ok([next, self.scheduler.next_rest()].into_iter().flatten().min())
    }

    /// Runs a sync as far as it goes now; answers until when it rests.
    async fn work(self: &Arc<Self>, of: Of, is_lively: bool) -> Option<Timestamp> {
        match self.run_once(of, is_lively).await {
            Ok(rest) => rest,
            Err(error) if error.code() == "sync_taken_over" => None,
            Err(error) => {
                tracing::warn!(sync = %of.sync, ?error, "a sync could not go on; it is tried again");
                Some(self.ambient.now().plus(if is_lively { TROUBLED } else { AGAIN }))
            }
        }
    }

    /// Whether something of a realtime sync is due that its runner has left: it must not begin again at once, and for ever.
    async fn left_something(&self, of: Of) -> Result<bool> {
        self.store.read(crate::scope(), move |tx| sql::has_due(tx, of)).await
    }

    async fn run_once(self: &Arc<Self>, of: Of, is_lively: bool) -> Result<Option<Timestamp>> {
        let begun = if is_lively { self.begin_realtime(of).await? } else { self.begin(of).await? };
        // Somebody else has it: his lease may run out.
        let Some(mut runner) = begun else { return Ok(Some(self.ambient.now().plus(AGAIN))) };
        let ended = self.drive(&mut runner).await;
        match ended {
            Ok(next) => {
                self.give_back(&runner).await?;
                let now = self.ambient.now();
                Ok(match next {
                    Next::Later(Some(until)) if is_lively || runner.run.parked_until.is_none() => Some(until),
                    Next::Ended if is_lively => Some(now.plus(TROUBLED)),
                    Next::Later(None) if is_lively && self.left_something(of).await? => Some(now.plus(BREATH)),
                    _ => None,
                })
            }
            Err(error) => {
                let _ = self.give_back(&runner).await;
                Err(error)
            }
        }
    }

    /// Becomes the runner of a sync's next run, for a driver that goes step by step.
    ///
    /// Errors: those of the account; the store's.
    pub async fn runner(self: &Arc<Self>, tenant: kernel::TenantId, sync: kernel::SyncConfigId) -> Result<Option<Runner>> {
        self.begin(Of { tenant, sync }).await
    }

    /// The same of a realtime sync's day.
    ///
    /// Errors: as [`Syncs::runner`].
    pub async fn realtime_runner(self: &Arc<Self>, tenant: kernel::TenantId, sync: kernel::SyncConfigId) -> Result<Option<Runner>> {
        self.begin_realtime(Of { tenant, sync }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::chance::SeededEntropy;
    use kernel::time::ManualClock;
    use kernel::{Ambient, TenantId};

    use super::*;

    /// A tenant whose vendors hang gets half of the places, however many syncs it has, and another one begins at once.
    #[test]
    fn a_tenant_leaves_places_to_others() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let ambient = Ambient::new(Arc::new(ManualClock::new(now)), Arc::new(SeededEntropy::new(1)));
        let [hanging, other]: [TenantId; 2] = [ambient.id(), ambient.id()];
        let scheduler = Scheduler::default();
        let some = |tenant: TenantId, count: usize| (0..count).map(|_| Of { tenant, sync: ambient.id() }).collect::<Vec<_>>();
        let theirs: Vec<Of> = some(hanging, 30).into_iter().filter(|of| scheduler.take(*of, now)).collect();
        assert_eq!(theirs.len(), OF_ONE);
        assert_eq!(some(other, 30).into_iter().filter(|of| scheduler.take(*of, now)).count(), AT_ONCE - OF_ONE);
        // A place that is free again goes to whoever holds less than half.
        scheduler.give_back(theirs[0], None);
        assert_eq!(some(other, 3).into_iter().filter(|of| scheduler.take(*of, now)).count(), 0);
        assert_eq!(some(hanging, 3).into_iter().filter(|of| scheduler.take(*of, now)).count(), 1);
    }
}
