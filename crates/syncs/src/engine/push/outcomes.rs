//! What became of what was sent.

use std::sync::Arc;

use connectors::{Fault, Outcome, RemoteRecord, WriteAct};
use kernel::Result;
use serde_json::Map;
use store::Tx;

use super::{Send, creates};
use crate::conflicts::sql as conflict_sql;
use crate::engine::Pass;
use crate::engine::gone::merged_away;
use crate::ledger::links::{self, Link};
use crate::ledger::log::{LogAction, LogEntry};
use crate::ledger::{Trouble, dirty, intents};
use crate::runs::Mode;

/// Stores the outcomes; those that have none were not tried, because of `fault`.
pub(super) fn note(tx: &mut Tx<'_>, pass: &mut Pass, sends: Vec<Send>, outcomes: Vec<Outcome>, fault: Option<&Fault>) -> Result<()> {
    let mut outcomes = outcomes.into_iter();
    for send in sends {
        match outcomes.next() {
            Some(outcome) => one(tx, pass, &send, outcome)?,
            None => untried(tx, pass, &send, fault)?,
        }
    }
    Ok(())
}

/// Nothing was done, unless the answer is what was lost.
fn untried(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, fault: Option<&Fault>) -> Result<()> {
    match fault {
        Some(lost @ Fault::Lost { .. }) => unknown(tx, pass, send, lost),
        _ if creates(&send.write) => intents::done(tx, pass.context.of, std::iter::once(send.dirty.record)),
        _ => Ok(()),
    }
}

fn one(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, outcome: Outcome) -> Result<()> {
    let is_deletion = matches!(send.write.act, WriteAct::Delete { .. });
    match outcome {
        Outcome::Created(remote) => created(tx, pass, send, &remote),
        Outcome::Updated(remote) if send.link.is_none() => created(tx, pass, send, &remote),
        Outcome::Updated(remote) => updated(tx, pass, send, &remote),
        Outcome::Deleted => deleted(tx, pass, send),
        Outcome::Gone { .. } if is_deletion => deleted(tx, pass, send),
        Outcome::Gone { merged_into: Some(survivor) } if send.link.is_some() => moved(tx, pass, send, &survivor),
        Outcome::Gone { .. } => {
            let trouble = Trouble { passes: true, ..Trouble::new("vendor_not_found", "The vendor has no such record any more.") };
            failed(tx, pass, send, &trouble)
        }
        Outcome::Exists { id: Some(id) } => exists(tx, pass, send, &id),
        Outcome::Exists { id: None } => {
            let trouble =
                Trouble { passes: true, ..Trouble::new("vendor_has_it", "The vendor has a record with this key; it is looked up.") };
            wait(tx, pass, send, &trouble)
        }
        Outcome::Failed(fault) => {
            if creates(&send.write) {
                intents::done(tx, pass.context.of, std::iter::once(send.dirty.record))?;
            }
            failed(tx, pass, send, &Trouble::of_fault(&fault))
        }
        Outcome::Unknown(fault) => unknown(tx, pass, send, &fault),
    }
}

fn unknown(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, fault: &Fault) -> Result<()> {
    let trouble = Trouble { passes: true, ..Trouble::of_fault(fault) };
    if creates(&send.write) { wait(tx, pass, send, &trouble) } else { failed(tx, pass, send, &trouble) }
}

fn failed(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, trouble: &Trouble) -> Result<()> {
    pass.row.counters.failed += 1;
    let remote = send.link.as_ref().map(|link| link.remote.as_str());
    pass.log(LogEntry::failed(Some(send.dirty.record), remote, trouble));
    dirty::failed(tx, pass.context.of, &send.dirty, trouble)
}

/// The intent stays, as of now: when its time has come, the vendor is asked before anything is made again. A run waits for that ([`super::held`]), so
/// nothing has failed yet; a realtime one has no end to wait at.
fn wait(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, trouble: &Trouble) -> Result<()> {
    let context = Arc::clone(&pass.context);
    if pass.row.mode == Mode::Realtime {
        failed(tx, pass, send, trouble)?;
    } else {
        dirty::failed(tx, context.of, &send.dirty, trouble)?;
    }
    super::decide::intend(tx, &context, std::slice::from_ref(send))?;
    let until = tx.now().plus(context.settled_after());
    dirty::put_off(tx, context.of, &send.dirty, until)
}

fn created(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, remote: &RemoteRecord) -> Result<()> {
    let of = pass.context.of;
    let holder = links::by_remote(tx, of, std::iter::once(remote.id.clone()))?.remove(&remote.id);
    intents::done(tx, of, std::iter::once(send.dirty.record))?;
    if holder.is_some_and(|holder| holder.record != send.dirty.record) {
        let text = format!("The vendor's record {} has the same key and belongs to another record of ours.", remote.id);
        return failed(tx, pass, send, &Trouble::new("key_taken", text));
    }
    let link = fresh_link(tx, send, &remote.id, pass.row.number);
    let link = agreed(link, send, remote);
    links::put(tx, of, std::slice::from_ref(&link))?;
    pass.row.counters.created += 1;
    pass.row.counters.there += 1;
    pass.log(LogEntry::new(LogAction::CreatedThere, Some(link.record), Some(&link.remote)));
    dirty::done(tx, of, &[(send.dirty.record, send.dirty.version)])
}

fn fresh_link(tx: &Tx<'_>, send: &Send, remote: &str, number: i64) -> Link {
    Link {
        record: send.dirty.record,
        remote: remote.to_owned(),
        agreed_local: Map::new(),
        agreed_remote: Map::new(),
        remote_at: None,
        revision: send.ours.as_ref().map_or(0, |ours| ours.revision),
        writer: "local",
        wrote_at: Some(tx.now()),
        seen: number,
        unlinked: false,
    }
}

/// What was written is agreed.
fn agreed(mut link: Link, send: &Send, remote: &RemoteRecord) -> Link {
    for (local, ours, name, theirs) in &send.agreed {
        link.agreed_local.insert(local.clone(), ours.clone());
        link.agreed_remote.insert(name.clone(), theirs.clone());
    }
    link.remote_at = link.remote_at.max(remote.modified_at);
    link
}

fn updated(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, remote: &RemoteRecord) -> Result<()> {
    let Some(link) = &send.link else { return Ok(()) };
    let of = Arc::clone(&pass.context).of;
    let link = Link { writer: "local", wrote_at: Some(tx.now()), ..agreed(link.clone(), send, remote) };
    links::put(tx, of, std::slice::from_ref(&link))?;
    pass.row.counters.updated += 1;
    pass.row.counters.there += 1;
    let fields = send.agreed.iter().map(|(local, ..)| local.clone()).collect();
    pass.log(LogEntry::new(LogAction::UpdatedThere, Some(link.record), Some(&link.remote)).fields(fields));
    dirty::done(tx, of, &[(send.dirty.record, send.dirty.version)])
}

fn deleted(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send) -> Result<()> {
    let of = pass.context.of;
    links::delete(tx, of, std::iter::once(send.dirty.record))?;
    intents::done(tx, of, std::iter::once(send.dirty.record))?;
    conflict_sql::end_of_record(tx, of, send.dirty.record)?;
    pass.row.counters.deleted += 1;
    pass.row.counters.there += 1;
    let remote = send.link.as_ref().map(|link| link.remote.as_str());
    pass.log(LogEntry::new(LogAction::DeletedThere, Some(send.dirty.record), remote));
    dirty::done(tx, of, &[(send.dirty.record, send.dirty.version)])
}

/// The vendor merged it away: the record stays in the outbox, under its new link.
fn moved(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, survivor: &str) -> Result<()> {
    let Some(link) = &send.link else { return Ok(()) };
    match merged_away(tx, pass, link, survivor)? {
        Ok(()) => Ok(()),
        Err(trouble) => failed(tx, pass, send, &trouble),
    }
}

/// The vendor has it already: it is linked, and merged by the next step.
fn exists(tx: &mut Tx<'_>, pass: &mut Pass, send: &Send, remote: &str) -> Result<()> {
    let of = pass.context.of;
    intents::done(tx, of, std::iter::once(send.dirty.record))?;
    let holder = links::by_remote(tx, of, std::iter::once(remote.to_owned()))?.remove(remote);
    if holder.is_some_and(|holder| holder.record != send.dirty.record) {
        let text = format!("The vendor's record {remote} has the same key and belongs to another record of ours.");
        return failed(tx, pass, send, &Trouble::new("key_taken", text));
    }
    let link = Link { writer: "remote", wrote_at: None, ..fresh_link(tx, send, remote, pass.row.number) };
    pass.log(LogEntry::new(LogAction::Linked, Some(link.record), Some(remote)));
    links::put(tx, of, std::slice::from_ref(&link))
}
