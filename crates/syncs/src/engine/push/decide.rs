//! What follows from both sides, under locks: what is written here is written now, what goes to the vendor is answered.

use std::collections::HashMap;
use std::sync::Arc;

use connectors::{RemoteRecord, Write, WriteAct};
use kernel::{RecordId, Result};
use records::Record;
use serde_json::{Map, Value};
use store::Tx;

use super::{Found, Item, Send};
use crate::configs::Deletions;
use crate::conflicts::sql as conflict_sql;
use crate::engine::fetch::Incoming;
use crate::engine::gone::{merged_away, vanished};
use crate::engine::merging::{self, Merged, merge, with_decisions};
use crate::engine::reconcile::{agree_created, document, entry, new_link, note_conflicts, write_here};
use crate::engine::{Context, Pass};
use crate::ledger::links::{self, Link};
use crate::ledger::log::{LogAction, LogEntry};
use crate::ledger::{Trouble, dirty, intents};
use crate::merge::{is_empty, same};
use crate::plan::Plan;

/// What became of an item.
enum End {
    /// Nothing more is to be done.
    Done,
    /// It is looked at again by the next step.
    Again,
    Later(kernel::Timestamp),
    Failed(Trouble),
    Send(Box<Send>),
}

pub(super) fn decide(tx: &mut Tx<'_>, pass: &mut Pass, items: Vec<Item>) -> Result<Vec<Send>> {
    let context = Arc::clone(&pass.context);
    let of = context.of;
    let ids: Vec<RecordId> = items.iter().map(|item| item.dirty.record).collect();
    let present = context.records.many_in(tx, &context.scope, context.resource(), &ids, true)?;
    let mut work = Work { context: &context, holders: holders(tx, pass, &items)? };
    let (mut sends, mut done) = (Vec::new(), Vec::new());
    for item in items {
        pass.row.counters.sent += 1;
        let dirty = item.dirty.clone();
        let is_same = item.ours.as_ref().map(|ours| ours.revision) == present.get(&dirty.record).map(|ours| ours.revision) || pass.is_dry();
        // It changed since it was read: the next step takes it as it is then.
        let end = if is_same { work.one(tx, pass, item)? } else { End::Again };
        match end {
            End::Done => done.push((dirty.record, dirty.version)),
            End::Again if pass.is_dry() => {
                pass.rehearsal.touch(dirty.record);
                pass.rehearsal.again(&dirty);
            }
            End::Again => {}
            End::Later(until) => dirty::put_off(tx, of, &dirty, until)?,
            End::Failed(trouble) => {
                pass.row.counters.failed += 1;
                pass.log(LogEntry::failed(Some(dirty.record), None, &trouble));
                dirty::failed(tx, of, &dirty, &trouble)?;
            }
            End::Send(send) => {
                if pass.row.dry_run {
                    rehearsed(pass, &send);
                }
                sends.push(*send);
            }
        }
    }
    dirty::done(tx, of, &done)?;
    intend(tx, &context, &sends)?;
    pass.row.checkpoint.faults = 0;
    Ok(sends)
}

/// What the vendor's records that were found by their key are linked with.
fn holders(tx: &mut Tx<'_>, pass: &Pass, items: &[Item]) -> Result<HashMap<String, RecordId>> {
    let found = items.iter().filter(|item| item.link.is_none()).filter_map(|item| match &item.found {
        Found::There(one) => Some(one.remote.id.clone()),
        _ => None,
    });
    let found: Vec<String> = found.collect();
    let mut known = links::by_remote(tx, pass.context.of, found.iter().cloned())?;
    pass.rehearsal.relink(&mut known, found.iter());
    Ok(known.into_iter().map(|(remote, link)| (remote, link.record)).collect())
}

/// Stores the intents of the part that is asked for next.
pub(super) fn intend(tx: &mut Tx<'_>, context: &Context, sends: &[Send]) -> Result<()> {
    let next = sends.iter().take(context.part()).filter(|send| super::creates(&send.write));
    let asked: Vec<_> = next.map(|send| (send.dirty.record, key_of(context, &send.write.fields))).collect();
    intents::put(tx, context.of, &asked)
}

fn key_of(context: &Context, fields: &Map<String, Value>) -> Value {
    context.plan.key.as_ref().and_then(|key| fields.get(&key.remote)).cloned().unwrap_or(Value::Null)
}

fn rehearsed(pass: &mut Pass, send: &Send) {
    let remote = send.link.as_ref().map(|link| link.remote.as_str());
    let action = match send.write.act {
        WriteAct::Create { .. } => LogAction::CreatedThere,
        WriteAct::Update { .. } => LogAction::UpdatedThere,
        WriteAct::Delete { .. } => LogAction::DeletedThere,
    };
    let counters = &mut pass.row.counters;
    *match action {
        LogAction::CreatedThere => &mut counters.created,
        LogAction::UpdatedThere => &mut counters.updated,
        _ => &mut counters.deleted,
    } += 1;
    counters.there += 1;
    let fields = send.agreed.iter().map(|(local, ..)| local.clone()).collect();
    pass.log(LogEntry::new(action, Some(send.dirty.record), remote).fields(fields));
}

struct Work<'a> {
    context: &'a Context,
    holders: HashMap<String, RecordId>,
}

impl Work<'_> {
    fn one(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, mut item: Item) -> Result<End> {
        if let Found::NotYet(until) = item.found {
            return Ok(End::Later(until));
        }
        match (item.ours.take(), item.link.take()) {
            (_, Some(link)) if link.unlinked => {
                pass.row.counters.skipped += 1;
                Ok(End::Done)
            }
            (Some(ours), Some(link)) => self.linked(tx, pass, item, &ours, link),
            (Some(ours), None) => self.unlinked(tx, pass, item, &ours),
            (None, Some(link)) => self.deleted(tx, pass, &item, &link),
            (None, None) => self.never_linked(tx, &item),
        }
    }

    /// Both sides have it.
    fn linked(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, item: Item, ours: &Record, link: Link) -> Result<End> {
        match item.found {
            Found::There(ref one) => {
                let one = one.clone();
                self.merge(tx, pass, &item, ours, link, &one)
            }
            Found::Unasked => {
                let one = presumed(&self.context.plan, &link);
                self.merge(tx, pass, &item, ours, link, &one)
            }
            Found::Merged(survivor) => Ok(match merged_away(tx, pass, &link, &survivor)? {
                Ok(()) => End::Again,
                Err(trouble) => End::Failed(trouble),
            }),
            Found::Absent | Found::NotYet(_) => Ok(match vanished(tx, pass, &link, Some(ours.clone()))? {
                Ok(()) => End::Again,
                Err(trouble) => End::Failed(trouble),
            }),
        }
    }

    fn merge(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, item: &Item, ours: &Record, mut link: Link, one: &Incoming) -> Result<End> {
        let reads = self.context.plan.reads();
        let trouble = Trouble::of_mapping(&item.there).or_else(|| reads.then(|| Trouble::of_mapping(&one.here)).flatten());
        if let Some(trouble) = trouble {
            return Ok(End::Failed(trouble));
        }
        let before = link.clone();
        let view = Plan::view(ours);
        let sides = merging::Record {
            view: &view,
            changed_at: ours.updated_at,
            remote: &one.remote,
            here: &one.here.values,
            there: Some(&item.there.values),
            conflicts: item.conflicts.as_ref(),
        };
        let merged = merge(&self.context.plan, &sides, &mut link);
        match write_here(tx, self.context, &merged, ours, one, &mut link)? {
            Err(trouble) => return Ok(End::Failed(trouble)),
            Ok(true) => {
                pass.row.counters.updated += 1;
                pass.log(entry(LogAction::UpdatedHere, &link).fields(merged.patch.keys().cloned().collect()));
            }
            Ok(false) => {}
        }
        note_conflicts(tx, pass, &merged, &link, &view, one)?;
        link.remote_at = link.remote_at.max(one.remote.modified_at);
        if link != before || item.link.is_none() && before.agreed_local.is_empty() {
            links::put(tx, self.context.of, std::slice::from_ref(&link))?;
        }
        if merged.values.is_empty() {
            if merged.patch.is_empty() {
                pass.row.counters.unchanged += 1;
            }
            return Ok(End::Done);
        }
        Ok(End::Send(Box::new(self.update(item, &view, merged, link))))
    }

    fn update(&self, item: &Item, view: &Map<String, Value>, merged: Merged, link: Link) -> Send {
        let view = with_decisions(view, item.conflicts.as_ref());
        let agreed = merged.pushed.iter().map(|index| {
            let pair = &self.context.plan.pairs[*index];
            let there = merged.values.get(&pair.remote).cloned().unwrap_or(Value::Null);
            (pair.local.clone(), Plan::local(&view, pair).clone(), pair.remote.clone(), there)
        });
        Send {
            dirty: item.dirty.clone(),
            agreed: agreed.collect(),
            write: Write { act: WriteAct::Update { id: link.remote.clone() }, fields: merged.values },
            link: Some(link),
            ours: None,
        }
    }

    /// Ours is new to the vendor, or was found there by its key.
    fn unlinked(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, item: Item, ours: &Record) -> Result<End> {
        if let Some(trouble) = Trouble::of_mapping(&item.there) {
            return Ok(End::Failed(trouble));
        }
        if let Found::There(one) = &item.found {
            if self.holders.get(&one.remote.id).is_some_and(|holder| *holder != ours.id) {
                return Ok(End::Failed(key_taken(&one.remote)));
            }
            self.holders.insert(one.remote.id.clone(), ours.id);
            intents::done(tx, self.context.of, std::iter::once(ours.id))?;
            let link = new_link(one, ours, pass.row.number);
            pass.log(entry(LogAction::Linked, &link));
            links::put(tx, self.context.of, std::slice::from_ref(&link))?;
            let one = one.clone();
            return self.merge(tx, pass, &item, ours, link, &one);
        }
        Ok(self.creation(item, ours))
    }

    fn creation(&self, item: Item, ours: &Record) -> End {
        let mut fields = self.context.filter_fields();
        fields.extend(item.there.values.clone().into_iter().filter(|(_, value)| !value.is_null()));
        let key = key_of(self.context, &fields);
        if is_empty(&key) {
            let name = self.context.plan.key.as_ref().map(|key| key.local.clone());
            return End::Failed(
                Trouble::new("key_missing", "The field by which records are matched is empty, so it is not made at the vendor.").at(name),
            );
        }
        let unique = self.context.object.unique_field.as_ref().and_then(|field| Some((field.clone(), fields.get(field)?.clone())));
        let view = Plan::view(ours);
        let pairs = self.context.plan.pairs.iter().filter(|pair| pair.ways.to_remote);
        let agreed = pairs.map(|pair| {
            let there = fields.get(&pair.remote).cloned().unwrap_or(Value::Null);
            (pair.local.clone(), Plan::local(&view, pair).clone(), pair.remote.clone(), there)
        });
        End::Send(Box::new(Send {
            agreed: agreed.collect(),
            write: Write { act: WriteAct::Create { unique }, fields },
            link: None,
            ours: Some(ours.clone()),
            dirty: item.dirty,
        }))
    }

    /// Ours was deleted.
    fn deleted(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, item: &Item, link: &Link) -> Result<End> {
        let of = self.context.of;
        let forget = |tx: &mut Tx<'_>| -> Result<End> {
            links::delete(tx, of, std::iter::once(link.record))?;
            conflict_sql::end_of_record(tx, of, link.record)?;
            Ok(End::Done)
        };
        match (self.context.deletions(), &item.found) {
            (Deletions::Unlink, _) => {
                links::unlink(tx, of, link.record)?;
                conflict_sql::end_of_record(tx, of, link.record)?;
                pass.log(entry(LogAction::Unlinked, link).because("Our record was deleted."));
                Ok(End::Done)
            }
            (Deletions::Ignore, _) => {
                pass.log(entry(LogAction::Unlinked, link).because("Our record was deleted; it is made again when the vendor's changes."));
                forget(tx)
            }
            (Deletions::Delete, Found::Absent | Found::Merged(_)) => forget(tx),
            (Deletions::Delete, Found::There(one)) if self.edited_there(link, one) => self.resurrect(tx, pass, link, one),
            (Deletions::Delete, _) => Ok(End::Send(Box::new(Send {
                dirty: item.dirty.clone(),
                write: Write { act: WriteAct::Delete { id: link.remote.clone() }, fields: Map::new() },
                link: Some(link.clone()),
                ours: None,
                agreed: Vec::new(),
            }))),
        }
    }

    /// Whether an edit at the vendor would be lost with its record, and the policy does not give it up.
    fn edited_there(&self, link: &Link, one: &Incoming) -> bool {
        self.context.settings().conflict_resolution != mappings::Policy::Local
            && self.context.plan.pairs.iter().filter(|pair| pair.ways.to_local).any(|pair| {
                let now = one.remote.fields.get(&pair.remote);
                now.is_some_and(|now| !same(now, link.agreed_remote.get(&pair.remote).unwrap_or(&Value::Null)))
            })
    }

    fn resurrect(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, link: &Link, one: &Incoming) -> Result<End> {
        if let Some(trouble) = Trouble::of_mapping(&one.here) {
            return Ok(End::Failed(trouble));
        }
        let (context, of) = (self.context, self.context.of);
        let made = context.records.create_many_in(tx, &context.scope, context.resource(), vec![document(&one.here.values)])?;
        let ours = match made.into_iter().next() {
            Some(Ok(ours)) => ours,
            Some(Err(error)) => return Ok(End::Failed(Trouble::of_error(&error))),
            None => return Ok(End::Again),
        };
        links::delete(tx, of, std::iter::once(link.record))?;
        conflict_sql::end_of_record(tx, of, link.record)?;
        let mut fresh = new_link(one, &ours, pass.row.number);
        agree_created(&context.plan, one, &ours, &mut fresh);
        links::put(tx, of, std::slice::from_ref(&fresh))?;
        pass.row.counters.created += 1;
        pass.log(entry(LogAction::Resurrected, &fresh).because("It was deleted here and changed at the vendor: it is made again here."));
        Ok(End::Done)
    }

    /// Ours is gone and was never known to be there; a creation that was asked for may have made it.
    fn never_linked(&mut self, tx: &mut Tx<'_>, item: &Item) -> Result<End> {
        let of = self.context.of;
        match (&item.intent, &item.found) {
            (Some(_), Found::There(one)) if self.context.deletions() == Deletions::Delete && !self.holders.contains_key(&one.remote.id) => {
                Ok(End::Send(Box::new(Send {
                    dirty: item.dirty.clone(),
                    write: Write { act: WriteAct::Delete { id: one.remote.id.clone() }, fields: Map::new() },
                    link: None,
                    ours: None,
                    agreed: Vec::new(),
                })))
            }
            (Some(_), _) => {
                intents::done(tx, of, std::iter::once(item.dirty.record))?;
                Ok(End::Done)
            }
            (None, _) => Ok(End::Done),
        }
    }
}

/// What the vendor is taken to have, where it is not asked.
fn presumed(plan: &Plan, link: &Link) -> Incoming {
    let fields = plan.pairs.iter().map(|pair| {
        let value = link.agreed_remote.get(&pair.remote).cloned().unwrap_or(Value::Null);
        (pair.remote.clone(), value)
    });
    let remote = RemoteRecord { id: link.remote.clone(), fields: fields.collect(), modified_at: None, deleted: false, merged_into: None };
    Incoming { remote, here: mappings::Mapped::default() }
}

fn key_taken(remote: &RemoteRecord) -> Trouble {
    Trouble::new("key_taken", format!("The vendor's record {} has the same key and belongs to another record of ours.", remote.id))
}
