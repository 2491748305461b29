//! The vendor's pages, stored.

use std::sync::Arc;

use kernel::Result;
use store::Tx;

use super::fetch::{Batch, Incoming, pages};
use super::reconcile::reconcile;
use super::{Next, Pass, Runner, act};
use crate::Syncs;
use crate::configs::sql as config_sql;
use crate::ledger::hints;
use crate::runs::{Mode, Phase};

impl Syncs {
    /// Some pages, and meanwhile the next ones are read.
    pub(super) async fn pull(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        if !runner.context.pulls() {
            return self.skip_pull(runner).await;
        }
        self.set_out(runner).await?;
        let at = runner.run.checkpoint.token.clone();
        let batch = match runner.ahead.take().filter(|batch| batch.token == at && runner.run.counters.pages > 0) {
            Some(batch) => Ok(batch),
            None => self.fetch(runner, at).await,
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(fault) => return self.fault(runner, &fault).await,
        };
        let next = batch.next.clone();
        let Some(next) = next else {
            self.keep_pages(runner, batch).await?;
            return Ok(Next::Again);
        };
        let (context, connector, session) = (Arc::clone(&runner.context), Arc::clone(&runner.connector), runner.session.clone());
        let since = runner.run.checkpoint.since.clone();
        let (kept, ahead) =
            tokio::join!(self.keep_pages(runner, batch), pages(&context, &*connector, &session, since.as_deref(), Some(next)));
        kept?;
        // A fault is met again, and judged, by the step that needs the page.
        runner.ahead = ahead.ok();
        Ok(Next::Again)
    }

    async fn fetch(&self, runner: &Runner, token: Option<String>) -> std::result::Result<Batch, connectors::Fault> {
        pages(&runner.context, &*runner.connector, &runner.session, runner.run.checkpoint.since.as_deref(), token).await
    }

    /// The beginning: since when pages and deletions are asked for is written down before anything is read.
    async fn set_out(self: &Arc<Self>, runner: &mut Runner) -> Result<()> {
        if runner.run.checkpoint.steps_left.is_some() {
            return Ok(());
        }
        self.pass(runner, |tx, pass| {
            let config = config_sql::get(tx, pass.context.of.tenant, pass.context.of.sync)?;
            let checkpoint = &mut pass.row.checkpoint;
            checkpoint.steps_left = Some(0);
            checkpoint.deleted_since = config.deleted_cursor;
            checkpoint.since = config.cursor.filter(|_| pass.row.mode != Mode::Full);
            if checkpoint.since.is_none() {
                pass.row.mode = Mode::Full;
            }
            Ok(())
        })
        .await
    }

    async fn skip_pull(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        self.pass(runner, |_, pass| {
            pass.row.checkpoint.phase = Phase::Hints;
            pass.row.counters.complete = true;
            Ok(())
        })
        .await?;
        Ok(Next::Again)
    }

    /// One transaction: records, links, hints, and where to go on.
    async fn keep_pages(self: &Arc<Self>, runner: &mut Runner, batch: Batch) -> Result<()> {
        self.pass(runner, move |tx, pass| keep(tx, pass, batch)).await
    }
}

fn keep(tx: &mut Tx<'_>, pass: &mut Pass, batch: Batch) -> Result<()> {
    let Batch { incoming, pages, next, cursor, total, .. } = batch;
    act(tx, pass, |tx, pass| store_all(tx, pass, incoming))?;
    let of = pass.context.of;
    let counters = &mut pass.row.counters;
    counters.pages += pages;
    counters.vendor_total = total.or(counters.vendor_total);
    let checkpoint = &mut pass.row.checkpoint;
    checkpoint.faults = 0;
    checkpoint.token.clone_from(&next);
    if next.is_some() {
        return Ok(());
    }
    (checkpoint.phase, checkpoint.pulled) = (Phase::Deletions, true);
    counters.complete = pass.row.mode != Mode::Full || counters.vendor_total.is_none_or(|total| counters.seen >= total);
    if !pass.row.dry_run && cursor.is_some() {
        config_sql::set_cursor(tx, of, cursor.as_deref())?;
    }
    Ok(())
}

fn store_all(tx: &mut Tx<'_>, pass: &mut Pass, incoming: Vec<Incoming>) -> Result<()> {
    let of = pass.context.of;
    for (remote, trouble) in reconcile(tx, pass, incoming, true)? {
        hints::failed(tx, of, &remote, 0, &trouble)?;
    }
    Ok(())
}
