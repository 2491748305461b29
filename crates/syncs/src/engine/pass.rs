//! A step's transaction: whether this runner is still the one, what it did, how far it is.

use std::sync::Arc;

use kernel::{Error, Result};
use store::Tx;

use super::{Context, Rehearsal, Runner};
use crate::configs;
use crate::ledger::log::{self, LogEntry};
use crate::runs::{self, sql};
use crate::{LEASE, Syncs};

/// What a step's transaction carries.
pub(crate) struct Pass {
    pub(crate) context: Arc<Context>,
    pub(crate) row: runs::Row,
    pub(crate) entries: Vec<LogEntry>,
    /// Of a dry run: what it would have done so far.
    pub(crate) rehearsal: Rehearsal,
}

impl Pass {
    pub(crate) fn log(&mut self, entry: LogEntry) {
        self.entries.push(entry);
    }

    /// A dry run has no outbox, hints or links of its own.
    pub(crate) fn is_dry(&self) -> bool {
        self.row.dry_run
    }
}

/// Does something; of a dry run nothing is left of it but what it says and counts.
pub(crate) fn act<T>(tx: &mut Tx<'_>, pass: &mut Pass, function: impl FnOnce(&mut Tx<'_>, &mut Pass) -> Result<T>) -> Result<T> {
    if !pass.row.dry_run {
        return function(tx, pass);
    }
    let mut done = None;
    let undone = tx.attempt(|tx| {
        done = Some(function(tx, pass)?);
        let context = Arc::clone(&pass.context);
        pass.rehearsal.keep(tx, &context)?;
        Err::<(), Error>(Error::internal("what a dry run did is undone"))
    })?;
    match (done, undone) {
        (Some(done), _) => Ok(done),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::internal("a dry run was not undone")),
    }
}

/// Another runner has the sync, or the run was ended.
pub(crate) fn taken_over() -> Error {
    Error::conflict("sync_taken_over", "Another node runs this sync now, or the run was ended.")
}

impl Syncs {
    /// Runs a step's transaction: nothing of it happens unless this runner is still the one. What it logs and how far it is are part of it.
    ///
    /// Errors: 409 `sync_taken_over`; the function's own.
    pub(crate) async fn pass<T, F>(&self, runner: &mut Runner, function: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>, &mut Pass) -> Result<T> + Send + 'static,
    {
        let mut pass = Pass {
            context: Arc::clone(&runner.context),
            row: runner.run.clone(),
            entries: Vec::new(),
            rehearsal: std::mem::take(&mut runner.rehearsal),
        };
        let (epoch, scope) = (runner.epoch, runner.context.scope.clone());
        let (done, row, rehearsal) = self
            .store
            .write(scope, move |tx| {
                let of = pass.context.of;
                let until = tx.now().plus(LEASE);
                if !configs::sql::keep_lease(tx, of, epoch, until)? {
                    return Err(taken_over());
                }
                let done = function(tx, &mut pass)?;
                if !pass.entries.is_empty() {
                    pass.row.log_seq += 1;
                    log::append(tx, of.tenant, pass.row.id, pass.row.log_seq, &pass.entries)?;
                }
                if !sql::save(tx, &pass.row)? {
                    return Err(taken_over());
                }
                Ok((done, pass.row, pass.rehearsal))
            })
            .await?;
        (runner.run, runner.rehearsal) = (row, rehearsal);
        Ok(done)
    }
}
