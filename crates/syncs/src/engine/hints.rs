//! Looks at single records of the vendor, by their ids: never through an index that lags.

use std::collections::HashMap;
use std::sync::Arc;

use connectors::RemoteRecord;
use kernel::Result;
use store::Tx;

use super::fetch::{Incoming, mapped};
use super::reconcile::reconcile;
use super::{Next, Pass, Runner, act};
use crate::Syncs;
use crate::ledger::hints::{self, Hint};
use crate::ledger::links;
use crate::runs::{Mode, Phase};

/// Looks of one step.
const MOST: u32 = 100;

impl Syncs {
    pub(super) async fn look(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        let Some(hints) = self.pass(runner, take).await? else { return Ok(Next::Again) };
        let ids: Vec<String> = hints.iter().map(|hint| hint.remote.clone()).collect();
        let context = Arc::clone(&runner.context);
        let asked = runner.connector.get(&runner.session, &context.object.name, &ids, &context.plan.remote_fields).await;
        let found = match asked {
            Ok(found) => found,
            Err(fault) => return self.fault(runner, &fault).await,
        };
        let (gone, there): (Vec<RemoteRecord>, Vec<RemoteRecord>) =
            found.into_iter().partition(|one| one.deleted || one.merged_into.is_some());
        let there = mapped(&context, there).await;
        self.pass(runner, move |tx, pass| act(tx, pass, |tx, pass| settle(tx, pass, &hints, there, &gone))).await?;
        Ok(Next::Again)
    }
}

/// The next hints; none: the phase is over. A dry run uses none up.
fn take(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<Option<Vec<Hint>>> {
    let of = pass.context.of;
    let checkpoint = &mut pass.row.checkpoint;
    let (first, left) = (checkpoint.steps_left.is_none(), checkpoint.steps_left.unwrap_or(1000));
    checkpoint.steps_left = Some(left.saturating_sub(1));
    let due = match left {
        _ if pass.row.dry_run => pass.rehearsal.next_hints(tx, &pass.context, first, MOST as usize)?,
        0 => Vec::new(),
        _ => hints::due(tx, of, false, MOST)?,
    };
    if !due.is_empty() {
        return Ok(Some(due));
    }
    let walks = pass.row.mode == Mode::Full && pass.context.pushes();
    checkpoint.phase = if walks { Phase::Scan } else { Phase::Apply };
    checkpoint.steps_left = None;
    Ok(None)
}

fn settle(tx: &mut Tx<'_>, pass: &mut Pass, hints: &[Hint], there: Vec<Incoming>, gone: &[RemoteRecord]) -> Result<()> {
    let of = pass.context.of;
    let alive: std::collections::HashSet<String> = there.iter().map(|one| one.remote.id.clone()).collect();
    let merged: HashMap<&str, Option<&str>> = gone.iter().map(|one| (one.id.as_str(), one.merged_into.as_deref())).collect();
    let attempts: HashMap<String, i64> = hints.iter().map(|hint| (hint.remote.clone(), hint.attempts)).collect();
    // In a push nothing of the vendor comes here: only whether it is still there is of interest.
    let failed = if pass.context.plan.reads() { reconcile(tx, pass, there, false)? } else { Vec::new() };
    let mut known = links::by_remote(tx, of, hints.iter().map(|hint| hint.remote.clone()))?;
    pass.rehearsal.relink(&mut known, hints.iter().map(|hint| &hint.remote));
    let mut done = Vec::new();
    for hint in hints {
        if alive.contains(&hint.remote) {
            if !failed.iter().any(|(remote, _)| *remote == hint.remote) {
                done.push(hint.clone());
            }
        } else if known.get(&hint.remote).is_some_and(|link| !link.unlinked) {
            let merged_into = merged.get(hint.remote.as_str()).copied().flatten();
            if pass.is_dry() {
                pass.rehearsal.found_gone(hint, merged_into);
            }
            hints::found_gone(tx, of, hint, merged_into)?;
        } else {
            done.push(hint.clone());
        }
    }
    for (remote, trouble) in &failed {
        hints::failed(tx, of, remote, attempts.get(remote).copied().unwrap_or(0), trouble)?;
    }
    pass.row.checkpoint.faults = 0;
    hints::done(tx, of, &done)
}
