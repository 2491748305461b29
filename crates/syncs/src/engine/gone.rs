//! Records of the vendor that are no longer there, as a look has shown: what follows for ours. Before anything is deleted, the brake.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{RecordId, Result};
use records::Record;
use store::Tx;

use super::reconcile::{differs, entry};
use super::{Next, Pass, Runner, act};
use crate::Syncs;
use crate::configs::Deletions;
use crate::conflicts::sql as conflict_sql;
use crate::ledger::hints::{self, Hint, Kind};
use crate::ledger::links::{self, Link};
use crate::ledger::log::{LogAction, LogEntry};
use crate::ledger::{Trouble, dirty, intents};
use crate::runs::{Mode, Phase, State};

/// Deletions of one step.
const MOST: u32 = 200;
/// So many deletions never need approval.
const HARMLESS: u64 = 20;

impl Syncs {
    pub(super) async fn apply_deletions(self: &Arc<Self>, runner: &mut Runner) -> Result<Next> {
        self.pass(runner, |tx, pass| {
            if !pass.row.approved && braked(tx, pass)? {
                return Ok(if pass.row.mode == Mode::Realtime { Next::Again } else { Next::Later(None) });
            }
            let (due, is_last) = if pass.is_dry() {
                (pass.rehearsal.all_gone(tx, &pass.context)?, true)
            } else {
                let due = hints::due(tx, pass.context.of, true, MOST)?;
                let is_last = due.len() < MOST as usize;
                (due, is_last)
            };
            act(tx, pass, |tx, pass| all(tx, pass, &due))?;
            if is_last {
                (pass.row.checkpoint.phase, pass.row.checkpoint.steps_left) = (Phase::Push, None);
            }
            Ok(Next::Again)
        })
        .await
    }
}

/// Whether so much would be deleted that somebody must say yes. A realtime run leaves deletions to the next run and goes on with the rest.
fn braked(tx: &mut Tx<'_>, pass: &mut Pass) -> Result<bool> {
    let Some(wanted) = too_many(tx, &pass.context)? else { return Ok(false) };
    match pass.row.mode {
        // What is gone stays gone: the next run stops for it.
        Mode::Realtime => (pass.row.checkpoint.phase, pass.row.checkpoint.steps_left) = (Phase::Push, None),
        _ if pass.row.dry_run => return Ok(false),
        _ => {
            pass.row.state = State::AwaitingApproval;
            pass.row.code = Some("deletions_need_approval".to_owned());
            pass.row.message = Some(format!("{wanted} records would be deleted. Approve or reject it; see the run's deletions."));
        }
    }
    Ok(true)
}

/// How many records would be deleted, if that is more than may be without anybody's approval.
pub(super) fn too_many(tx: &mut Tx<'_>, context: &super::Context) -> Result<Option<u64>> {
    let of = context.of;
    let wanted = hints::count_gone(tx, of)? + if context.pushes() { dirty::count_gone(tx, of)? } else { 0 };
    if wanted <= HARMLESS || context.deletions() != Deletions::Delete {
        return Ok(None);
    }
    let share = links::count(tx, of)? * u64::from(context.settings().delete_brake_percent) / 100;
    Ok((wanted > share.max(HARMLESS)).then_some(wanted))
}

fn all(tx: &mut Tx<'_>, pass: &mut Pass, hints: &[Hint]) -> Result<()> {
    let context = Arc::clone(&pass.context);
    let mut known = links::by_remote(tx, context.of, hints.iter().map(|hint| hint.remote.clone()))?;
    pass.rehearsal.relink(&mut known, hints.iter().map(|hint| &hint.remote));
    let ids: Vec<RecordId> = known.values().map(|link| link.record).collect();
    let mut ours = context.records.many_in(tx, &context.scope, context.resource(), &ids, true)?;
    pass.rehearsal.overlay(&ids, &mut ours, &mut HashMap::new(), &mut HashMap::new());
    let mut done = Vec::with_capacity(hints.len());
    for hint in hints {
        let Some(link) = known.get(&hint.remote).filter(|link| !link.unlinked) else {
            done.push(hint.clone());
            continue;
        };
        let outcome = match &hint.merged_into {
            Some(survivor) => merged_away(tx, pass, link, survivor)?,
            None => vanished(tx, pass, link, ours.remove(&link.record))?,
        };
        match outcome {
            Ok(()) => done.push(hint.clone()),
            Err(trouble) => {
                pass.row.counters.failed += 1;
                pass.log(LogEntry::failed(Some(link.record), Some(&link.remote), &trouble));
                hints::failed(tx, context.of, &hint.remote, hint.attempts, &trouble)?;
            }
        }
    }
    hints::done(tx, context.of, &done)
}

type Outcome = std::result::Result<(), Trouble>;

/// The vendor made one record of two: the link goes to the one that is left, unless that one has a record of ours already.
pub(super) fn merged_away(tx: &mut Tx<'_>, pass: &mut Pass, link: &Link, survivor: &str) -> Result<Outcome> {
    let of = pass.context.of;
    let survivors = [survivor.to_owned()];
    let mut holders = links::by_remote(tx, of, survivors.iter().cloned())?;
    pass.rehearsal.relink(&mut holders, survivors.iter());
    let holder = holders.remove(survivor);
    touch(pass, link.record);
    if let Some(holder) = holder {
        links::unlink(tx, of, link.record)?;
        conflict_sql::end_of_record(tx, of, link.record)?;
        let text =
            format!("The vendor merged it into {survivor}, which belongs to {}: this record is kept and goes its own way.", holder.record);
        pass.log(entry(LogAction::Merged, link).because(text));
        return Ok(Ok(()));
    }
    let moved = Link { remote: survivor.to_owned(), remote_at: None, wrote_at: None, ..link.clone() };
    links::put(tx, of, std::slice::from_ref(&moved))?;
    hints::add(tx, of, std::iter::once((survivor, Kind::Changed, None)))?;
    pass.log(entry(LogAction::Merged, link).because(format!("The vendor merged it into {survivor}.")));
    Ok(Ok(()))
}

/// The vendor's record is gone.
pub(super) fn vanished(tx: &mut Tx<'_>, pass: &mut Pass, link: &Link, ours: Option<Record>) -> Result<Outcome> {
    let context = Arc::clone(&pass.context);
    let of = context.of;
    touch(pass, link.record);
    let Some(ours) = ours else {
        links::delete(tx, of, std::iter::once(link.record))?;
        conflict_sql::end_of_record(tx, of, link.record)?;
        return Ok(Ok(()));
    };
    match context.deletions() {
        Deletions::Unlink => {
            links::unlink(tx, of, link.record)?;
            pass.log(entry(LogAction::Unlinked, link).because("The vendor's record was deleted."));
            pass.row.counters.skipped += 1;
        }
        Deletions::Ignore => {
            links::delete(tx, of, std::iter::once(link.record))?;
            pass.log(entry(LogAction::Unlinked, link).because("The vendor's record was deleted; it is made again when ours changes."));
            pass.row.counters.skipped += 1;
        }
        Deletions::Delete if context.pushes() && (!context.pulls() || edited(&context, &ours, link)) => {
            links::delete(tx, of, std::iter::once(link.record))?;
            intents::done(tx, of, std::iter::once(link.record))?;
            dirty::add(tx, of, &[link.record])?;
            if pass.is_dry() {
                pass.rehearsal.queue(link.record);
            }
            pass.log(entry(LogAction::Resurrected, link).because("It was deleted at the vendor and changed here: it is made again there."));
        }
        Deletions::Delete => {
            let deleted = tx.attempt(|tx| context.records.delete_in(tx, &context.scope, context.resource(), ours.id))?;
            if let Err(error) = deleted {
                return Ok(Err(Trouble::of_error(&error)));
            }
            links::delete(tx, of, std::iter::once(link.record))?;
            dirty::forget(tx, of, std::iter::once(link.record))?;
            pass.row.counters.deleted += 1;
            pass.log(entry(LogAction::DeletedHere, link));
        }
    }
    conflict_sql::end_of_record(tx, of, link.record)?;
    Ok(Ok(()))
}

fn touch(pass: &mut Pass, record: RecordId) {
    if pass.is_dry() {
        pass.rehearsal.touch(record);
    }
}

/// Whether an edit of ours would be lost with our record, and the policy does not give it up.
fn edited(context: &super::Context, ours: &Record, link: &Link) -> bool {
    context.settings().conflict_resolution != mappings::Policy::Remote && differs(&context.plan, ours, link)
}
