//! What was deleted at the vendor: by its feed, or, where it has none, by what a complete scan did not meet. Either only makes hints: a look at
//! the record itself decides.

use std::sync::Arc;

use connectors::DeletedPage;
use kernel::Result;
use store::Tx;

use super::{Next, Pass, Runner};
use crate::Syncs;
use crate::configs::{Deletions, sql as config_sql};
use crate::ledger::hints::{self, Kind};
use crate::ledger::links;
use crate::runs::{Mode, Phase};

impl Syncs {
    pub(super) async fn read_deletions(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        if !runner.context.object.delete_feed {
            self.pass(runner, sweep).await?;
            return Ok(Next::Again);
        }
        let checkpoint = &runner.run.checkpoint;
        let (since, token) = (checkpoint.deleted_since.clone(), checkpoint.token.clone());
        let asked = runner.connector.deleted(&runner.session, &runner.context.object.name, since.as_deref(), token.as_deref());
        match asked.await {
            Ok(page) => {
                self.pass(runner, move |tx, pass| keep(tx, pass, &page)).await?;
                Ok(Next::Again)
            }
            Err(fault) => self.fault(runner, &fault).await,
        }
    }
}

fn keep(tx: &mut Tx<'_>, pass: &mut Pass, page: &DeletedPage) -> Result<()> {
    let of = pass.context.of;
    let known = links::by_remote(tx, of, page.deletions.iter().map(|one| one.id.clone()))?;
    let ours = page.deletions.iter().filter(|one| known.contains_key(&one.id));
    let kind = |merged: Option<&str>| if merged.is_some() { Kind::Merged } else { Kind::Deleted };
    let ours = ours.map(|one| (one.id.as_str(), kind(one.merged_into.as_deref()), one.merged_into.as_deref()));
    if pass.is_dry() {
        ours.for_each(|(remote, _, merged)| pass.rehearsal.hint(remote, merged));
    } else {
        hints::add(tx, of, ours)?;
    }
    pass.row.checkpoint.faults = 0;
    pass.row.checkpoint.token.clone_from(&page.next);
    if page.next.is_some() {
        return Ok(());
    }
    if !pass.row.dry_run && page.cursor.is_some() {
        config_sql::set_deleted_cursor(tx, of, page.cursor.as_deref())?;
    }
    // Where the feed began with this run, what went before is told by the scan alone.
    sweep(tx, pass)
}

/// What a complete scan did not meet is worth a look.
fn sweep(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<()> {
    let proven = pass.row.mode == Mode::Full && pass.row.counters.complete && pass.row.checkpoint.pulled;
    if proven && pass.context.deletions() != Deletions::Ignore {
        if pass.is_dry() {
            let unseen = links::remotes(tx, pass.context.of)?.into_iter().filter(|remote| !pass.rehearsal.has_seen(remote));
            let unseen: Vec<String> = unseen.collect();
            unseen.iter().for_each(|remote| pass.rehearsal.hint(remote, None));
        } else {
            links::hint_unseen(tx, pass.context.of, pass.row.number)?;
        }
    }
    pass.row.checkpoint.token = None;
    pass.row.checkpoint.steps_left = None;
    pass.row.checkpoint.phase = Phase::Hints;
    Ok(())
}
