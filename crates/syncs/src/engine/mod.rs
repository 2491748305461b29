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
mod scan;
mod watching;

use std::sync::Arc;

use connectors::{Connector, Session};
use kernel::{Result, Timestamp};
use store::Tx;

use crate::configs::sql as config_sql;
use crate::ledger::Of;
use crate::runs::{self, Phase};
use crate::{LEASE, Syncs};

pub(crate) use context::Context;
pub(crate) use fetch::Batch;
pub(crate) use pass::{Pass, act};

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
}

impl Runner {
    /// The run that it executes.
    pub fn run(&self) -> runs::SyncRun {
        self.run.view()
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

    /// While it waits for the vendor, a runner says that it is still there.
    async fn keeping<T>(&self, of: Of, epoch: i64, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(LEASE / 3) => {
                    let keep = move |tx: &mut Tx<'_>| config_sql::keep_lease(tx, of, epoch, tx.now().plus(LEASE));
                    // Whether it is still the one, the next transaction of the step finds out.
                    let _ = self.store.write(crate::scope(), keep).await;
                }
            }
        }
    }

    /// Step after step, until there is nothing to do now.
    ///
    /// Errors: as [`Syncs::step`].
    pub async fn drive(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        loop {
            let (of, epoch) = (runner.context.of, runner.epoch);
            let next = self.keeping(of, epoch, self.step(runner)).await?;
            if next != Next::Again {
                return Ok(next);
            }
            if self.closed.is_cancelled() {
                return Ok(Next::Later(None));
            }
        }
    }
}
