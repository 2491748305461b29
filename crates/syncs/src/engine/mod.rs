//! The engine: what a runner does, step by step. Each step is one or a few small transactions with the vendor's calls between them; a run
//! that is dropped anywhere goes on from its checkpoint.

mod context;
mod deletions;
mod fault;
mod fetch;
mod finish;
mod gone;
mod hints;
mod lease;
mod merging;
mod pass;
mod pull;
mod push;
mod reconcile;
mod rehearsal;
mod scan;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use connectors::{Connector, Session};
use kernel::{IntegrationId, Kind, Result, SyncRunId, Timestamp};
use store::Tx;

use crate::configs::sql as config_sql;
use crate::ledger::Of;
use crate::runs::{self, Phase};
use crate::{Accounts, LEASE, Syncs};

pub(crate) use context::Context;
pub(crate) use fetch::Batch;
pub(crate) use lease::end_realtime;
pub(crate) use pass::{Pass, act};
pub(crate) use rehearsal::Rehearsal;

/// How often a runner that waits for the vendor asks whether it may go on.
const LOOK: Duration = Duration::from_secs(1);
/// Every so many looks it says that it is still there: three times within its lease.
const KEEP: u32 = 10;
/// For the transaction that was on its way when the run was found to have ended.
const GRACE: Duration = Duration::from_millis(200);

/// What is to be done after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next step, now.
    Again,
    /// Nothing now; perhaps then.
    Later(Option<Timestamp>),
    /// The run is over.
    Ended,
}

/// A node that runs a sync, under an epoch that nobody else has.
pub struct Runner {
    pub(crate) context: Arc<Context>,
    pub(crate) run: runs::Row,
    pub(crate) epoch: i64,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) session: Session,
    /// Pages that were read while the ones before were stored.
    pub(crate) ahead: Option<Batch>,
    /// Of a dry run: what it would have done so far.
    pub(crate) rehearsal: Rehearsal,
}

impl Runner {
    /// The run that it executes.
    pub fn run(&self) -> runs::SyncRun {
        self.run.view()
    }
}

/// What a runner's work stands on.
#[derive(Clone, Copy)]
struct Guard {
    of: Of,
    epoch: i64,
    run: SyncRunId,
    integration: IntegrationId,
}

impl Guard {
    /// Errors: 409 `sync_taken_over`; those of [`Accounts::usable`].
    fn holds(&self, tx: &mut Tx<'_>, accounts: &dyn Accounts) -> Result<()> {
        if !config_sql::has_lease(tx, self.of, self.epoch)? || !runs::sql::is_open(tx, self.of.tenant, self.run)? {
            return Err(pass::taken_over());
        }
        accounts.usable(tx, self.of.tenant, self.integration)
    }
}

impl Syncs {
    /// One step of a run.
    ///
    /// Errors: 409 `sync_taken_over`, when another runner has the sync or the run was ended: then this one drops what it holds; the store's own.
    pub async fn step(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        match runner.run.checkpoint.phase {
            Phase::Pull => self.pull(runner).await,
            Phase::Deletions => self.read_deletions(runner).await,
            Phase::Hints => self.look(runner).await,
            Phase::Scan => self.scan(runner).await,
            Phase::Apply => self.apply_deletions(runner).await,
            Phase::Push => self.push(runner).await,
            Phase::Finish => self.finish(runner).await,
        }
    }

    /// While it waits for the vendor, a runner says that it is still there, and hears when it is to stop: then what it is at is dropped, in the middle of a
    /// call if need be, which is as good as a crash.
    async fn keeping<T>(&self, guard: Guard, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::pin!(work);
        let mut looks = 0;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(LOOK) => {}
            }
            looks += 1;
            let accounts = Arc::clone(&self.accounts);
            match self.store.read(crate::scope(), move |tx| guard.holds(tx, accounts.as_ref())).await {
                // It may be this very step that has ended the run.
                Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => {
                    return tokio::time::timeout(GRACE, work).await.unwrap_or(Err(error));
                }
                _ if looks % KEEP == 0 => {
                    let keep = move |tx: &mut Tx<'_>| config_sql::keep_lease(tx, guard.of, guard.epoch, tx.now().plus(LEASE));
                    // Whether it is still the one, the next look finds out.
                    let _ = self.store.write(crate::scope(), keep).await;
                }
                _ => {}
            }
        }
    }

    /// Step after step, until there is nothing to do now.
    ///
    /// Errors: as [`Syncs::step`].
    pub async fn drive(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        loop {
            let integration = runner.context.config.integration_id;
            let guard = Guard { of: runner.context.of, epoch: runner.epoch, run: runner.run.id, integration };
            let next = self.keeping(guard, self.step(runner)).await?;
            if next != Next::Again {
                return Ok(next);
            }
            if self.closed.is_cancelled() {
                return Ok(Next::Later(None));
            }
        }
    }
}
