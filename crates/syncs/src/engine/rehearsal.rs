//! What a dry run would have done so far. Its transactions are undone, so what its later steps have to know of the earlier ones is kept here, in memory:
//! the records that would be others now, and the lists that steps use up. A dry run that loses it begins anew.

use std::collections::{HashMap, HashSet, VecDeque};

use kernel::{RecordId, Result};
use records::Record;
use store::Tx;

use super::Context;
use crate::conflicts::{Conflict, sql as conflict_sql};
use crate::ledger::dirty::{self, Dirty};
use crate::ledger::hints::{self, Hint};
use crate::ledger::links::{self, Link};

/// Rows of a list that are read at once; none is used up.
const LISTED: u32 = 100_000;
/// So often one record is looked at again at most.
const AGAIN: i64 = 3;

/// A record as it would be.
struct After {
    ours: Option<Record>,
    link: Option<Link>,
    conflicts: HashMap<String, Conflict>,
}

/// What a dry run would have done so far; of a real run it is empty.
#[derive(Default)]
pub(crate) struct Rehearsal {
    after: HashMap<RecordId, After>,
    /// The vendor's records that have other links in `after`.
    by_remote: HashMap<String, RecordId>,
    /// Of ours, that the step that is under way changes.
    touched: Vec<RecordId>,
    /// The vendor's records that would have been made here.
    created: HashSet<String>,
    /// Their keys.
    keys: HashSet<String>,
    /// The vendor's records that were met.
    seen: HashSet<String>,
    hints: VecDeque<Hint>,
    hinted: HashSet<String>,
    gone: Vec<Hint>,
    dirty: VecDeque<Dirty>,
    queued: HashSet<RecordId>,
}

impl Rehearsal {
    /// A record of ours is changed by the step.
    pub(crate) fn touch(&mut self, record: RecordId) {
        self.touched.push(record);
    }

    /// At the end of a step, before it is undone: what it touched, as it would be.
    pub(super) fn keep(&mut self, tx: &mut Tx<'_>, context: &Context) -> Result<()> {
        let ids: HashSet<RecordId> = std::mem::take(&mut self.touched).into_iter().collect();
        let ids: Vec<RecordId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut ours = context.records.many_in(tx, &context.scope, context.resource(), &ids, false)?;
        let mut links = links::by_record(tx, context.of, ids.iter().copied())?;
        let mut conflicts = conflict_sql::live(tx, context.of, ids.iter().copied())?;
        for id in ids {
            let (ours, link) = (ours.remove(&id), links.remove(&id));
            if let Some(before) = self.after.get(&id).and_then(|after| after.link.as_ref()) {
                self.by_remote.remove(&before.remote);
            }
            if let Some(link) = &link {
                self.by_remote.insert(link.remote.clone(), id);
            }
            self.after.insert(id, After { ours, link, conflicts: conflicts.remove(&id).unwrap_or_default() });
        }
        Ok(())
    }

    /// Links that were read, by the vendor's ids, as they would be.
    pub(crate) fn relink<'a>(&self, known: &mut HashMap<String, Link>, remotes: impl Iterator<Item = &'a String>) {
        if self.after.is_empty() {
            return;
        }
        known.retain(|_, link| !self.after.contains_key(&link.record));
        for remote in remotes {
            let link = self.by_remote.get(remote).and_then(|record| self.after.get(record)?.link.clone());
            known.extend(link.map(|link| (remote.clone(), link)));
        }
    }

    /// What was read of our records, as it would be.
    pub(crate) fn overlay(
        &self,
        ids: &[RecordId],
        ours: &mut HashMap<RecordId, Record>,
        links: &mut HashMap<RecordId, Link>,
        conflicts: &mut HashMap<RecordId, HashMap<String, Conflict>>,
    ) {
        if self.after.is_empty() {
            return;
        }
        for (id, after) in ids.iter().filter_map(|id| Some((*id, self.after.get(id)?))) {
            put(ours, id, after.ours.clone());
            put(links, id, after.link.clone());
            put(conflicts, id, (!after.conflicts.is_empty()).then(|| after.conflicts.clone()));
        }
    }

    /// Whether a record of ours would be linked; none: as the tables say.
    pub(crate) fn is_linked(&self, record: RecordId) -> Option<bool> {
        self.after.get(&record).map(|after| after.link.is_some())
    }

    /// The vendor's record would have been made here.
    pub(crate) fn created(&mut self, remote: String, key: Option<String>) {
        self.created.insert(remote);
        self.keys.extend(key);
    }

    pub(crate) fn is_created(&self, remote: &str) -> bool {
        self.created.contains(remote)
    }

    pub(crate) fn has_key(&self, form: &str) -> bool {
        self.keys.contains(form)
    }

    pub(crate) fn saw(&mut self, remote: String) {
        self.seen.insert(remote);
    }

    pub(crate) fn has_seen(&self, remote: &str) -> bool {
        self.seen.contains(remote)
    }

    /// The vendor's record is worth a look.
    pub(crate) fn hint(&mut self, remote: &str, merged_into: Option<&str>) {
        if self.hinted.insert(remote.to_owned()) {
            let merged_into = merged_into.map(str::to_owned);
            self.hints.push_back(Hint { remote: remote.to_owned(), version: 0, merged_into, attempts: 0 });
        }
    }

    /// The next looks. `first`: those that wait by themselves come along.
    pub(super) fn next_hints(&mut self, tx: &mut Tx<'_>, context: &Context, first: bool, most: usize) -> Result<Vec<Hint>> {
        if first {
            for hint in hints::due(tx, context.of, false, LISTED)? {
                if self.hinted.insert(hint.remote.clone()) {
                    self.hints.push_back(hint);
                }
            }
        }
        Ok(self.hints.drain(..self.hints.len().min(most)).collect())
    }

    /// A look has shown that it is not there.
    pub(crate) fn found_gone(&mut self, hint: &Hint, merged_into: Option<&str>) {
        let merged_into = merged_into.map(str::to_owned).or_else(|| hint.merged_into.clone());
        self.gone.push(Hint { merged_into, ..hint.clone() });
    }

    /// All that are gone there.
    pub(super) fn all_gone(&mut self, tx: &mut Tx<'_>, context: &Context) -> Result<Vec<Hint>> {
        let mut all = hints::due(tx, context.of, true, LISTED)?;
        all.append(&mut self.gone);
        Ok(all)
    }

    /// The record goes into the outbox.
    pub(crate) fn queue(&mut self, record: RecordId) {
        if self.queued.insert(record) {
            self.dirty.push_back(Dirty { record, version: 0, attempts: 0 });
        }
    }

    /// The record is looked at again by the next step.
    pub(crate) fn again(&mut self, dirty: &Dirty) {
        if dirty.attempts < AGAIN {
            self.dirty.push_back(Dirty { attempts: dirty.attempts + 1, ..dirty.clone() });
        }
    }

    /// The next of the outbox. `first`: those that wait by themselves come along.
    pub(super) fn next_dirty(&mut self, tx: &mut Tx<'_>, context: &Context, first: bool, most: usize) -> Result<Vec<Dirty>> {
        if first {
            for dirty in dirty::due(tx, context.of, true, LISTED)? {
                if self.queued.insert(dirty.record) {
                    self.dirty.push_back(Dirty { attempts: 0, ..dirty });
                }
            }
            // What would be deleted by now is nobody's work any more.
            let after = &self.after;
            self.dirty.retain(|one| after.get(&one.record).is_none_or(|after| after.ours.is_some() || after.link.is_some()));
        }
        Ok(self.dirty.drain(..self.dirty.len().min(most)).collect())
    }
}

fn put<T>(map: &mut HashMap<RecordId, T>, id: RecordId, value: Option<T>) {
    match value {
        Some(value) => map.insert(id, value),
        None => map.remove(&id),
    };
}
