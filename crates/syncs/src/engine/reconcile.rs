//! The vendor's records against links and our own: what only the vendor changed is written here, what we changed waits in the outbox. One
//! transaction of the caller's; nothing here asks the vendor.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::{RecordId, Result};
use records::Record;
use serde_json::{Map, Value};
use store::Tx;

use super::fetch::Incoming;
use super::merging::{self, Merged, merge};
use super::{Context, Pass};
use crate::conflicts::{Conflict, sql as conflict_sql};
use crate::ledger::hints::{self, Kind};
use crate::ledger::intents::{self, Intent};
use crate::ledger::links::{self, Link};
use crate::ledger::log::{LogAction, LogEntry};
use crate::ledger::{Trouble, dirty};
use crate::merge::same;
use crate::plan::{KeyPlan, Plan};
use crate::runs::Mode;

/// Works through the vendor's records; answers those that could not be stored. `listed`: they come of a page, which may show late what `get`
/// shows at once.
pub(crate) fn reconcile(tx: &mut Tx<'_>, pass: &mut Pass, incoming: Vec<Incoming>, listed: bool) -> Result<Vec<(String, Trouble)>> {
    let context = Arc::clone(&pass.context);
    let mut work = Work { context: &context, listed, changed: Vec::new(), seen: Vec::new(), dirty: Vec::new(), failed: Vec::new() };
    let incoming = work.alive(tx, pass, incoming)?;
    let mut known = links::by_remote(tx, context.of, incoming.iter().map(|one| one.remote.id.clone()))?;
    pass.rehearsal.relink(&mut known, incoming.iter().map(|one| &one.remote.id));
    let (linked, fresh): (Vec<_>, Vec<_>) = incoming.into_iter().partition(|one| known.contains_key(&one.remote.id));
    pass.row.counters.seen += fresh.len() as u64;
    let (matched, unknown) = work.matched(tx, pass, fresh)?;
    let ids: Vec<RecordId> = known.values().map(|link| link.record).chain(matched.iter().map(|(_, id)| *id)).collect();
    let mut ours = context.records.many_in(tx, &context.scope, context.resource(), &ids, true)?;
    let mut conflicts =
        if conflict_sql::has_live(tx, context.of)? { conflict_sql::live(tx, context.of, ids.iter().copied())? } else { HashMap::new() };
    pass.rehearsal.overlay(&ids, &mut ours, &mut HashMap::new(), &mut conflicts);
    for one in linked {
        let Some(link) = known.remove(&one.remote.id) else { continue };
        work.linked(tx, pass, &one, link, &ours, &conflicts)?;
    }
    for (one, record) in matched {
        work.meet(tx, pass, &one, record, &ours)?;
    }
    work.create(tx, pass, unknown)?;
    work.store(tx, pass)
}

/// The vendor's records with ours that they belong to, and those that nobody knows.
type Matched = (Vec<(Incoming, RecordId)>, Vec<Incoming>);

struct Work<'a> {
    context: &'a Context,
    listed: bool,
    /// Links to be written.
    changed: Vec<Link>,
    /// Links that are as they were.
    seen: Vec<String>,
    /// Ours that must go to the vendor.
    dirty: Vec<RecordId>,
    failed: Vec<(String, Trouble)>,
}

impl Work<'_> {
    /// Each once, the newest of it; what is gone becomes a hint.
    fn alive(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, incoming: Vec<Incoming>) -> Result<Vec<Incoming>> {
        let mut at: HashMap<String, usize> = HashMap::with_capacity(incoming.len());
        let mut out: Vec<Incoming> = Vec::with_capacity(incoming.len());
        let mut gone: Vec<Incoming> = Vec::new();
        for one in incoming {
            // An earlier step of the dry run has told of it.
            if pass.rehearsal.is_created(&one.remote.id) {
                pass.row.counters.unchanged += 1;
                continue;
            }
            if one.remote.deleted || one.remote.merged_into.is_some() {
                gone.push(one);
                continue;
            }
            match at.get(&one.remote.id) {
                Some(&index) if one.remote.modified_at >= out[index].remote.modified_at => out[index] = one,
                Some(_) => {}
                None => {
                    at.insert(one.remote.id.clone(), out.len());
                    out.push(one);
                }
            }
        }
        let kind = |one: &Incoming| if one.remote.merged_into.is_some() { Kind::Merged } else { Kind::Deleted };
        if pass.is_dry() {
            gone.iter().for_each(|one| pass.rehearsal.hint(&one.remote.id, one.remote.merged_into.as_deref()));
        }
        hints::add(tx, self.context.of, gone.iter().map(|one| (one.remote.id.as_str(), kind(one), one.remote.merged_into.as_deref())))?;
        Ok(out)
    }

    fn linked(
        &mut self,
        tx: &mut Tx<'_>,
        pass: &mut Pass,
        one: &Incoming,
        link: Link,
        ours: &HashMap<RecordId, Record>,
        conflicts: &HashMap<RecordId, HashMap<String, Conflict>>,
    ) -> Result<()> {
        if (link.seen < pass.row.number && !pass.rehearsal.has_seen(&link.remote)) || pass.row.mode != Mode::Full {
            pass.row.counters.seen += 1;
        }
        if link.unlinked {
            pass.row.counters.skipped += 1;
            self.seen.push(link.remote);
            return Ok(());
        }
        let Some(ours) = ours.get(&link.record) else { return self.orphan(tx, pass, link) };
        if link.remote_at.is_some_and(|known| one.remote.modified_at.is_some_and(|at| at < known)) {
            // Older than what we know: a list that lags, or a repeated row.
            pass.row.counters.unchanged += 1;
            self.seen.push(link.remote);
            return Ok(());
        }
        if self.may_be_late(tx, one, &link) {
            if pass.is_dry() {
                pass.rehearsal.hint(&link.remote, None);
            }
            hints::add(tx, self.context.of, std::iter::once((link.remote.as_str(), Kind::Changed, None)))?;
            self.seen.push(link.remote);
            return Ok(());
        }
        self.merge_one(tx, pass, one, link, ours, conflicts.get(&ours.id), false)
    }

    /// A list that lags may show our own write not yet: what differs from it is read anew, past the list.
    fn may_be_late(&self, tx: &Tx<'_>, one: &Incoming, link: &Link) -> bool {
        let lag = self.context.lag();
        let fresh = self.listed && !lag.is_zero() && link.wrote_at.is_some_and(|at| at.plus(lag) > tx.now());
        let differs = |(name, agreed): (&String, &Value)| one.remote.fields.get(name).is_some_and(|now| !same(now, agreed));
        fresh && link.agreed_remote.iter().any(differs)
    }

    /// Ours is gone, and the vendor may not know yet.
    fn orphan(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, link: Link) -> Result<()> {
        if self.context.pushes() {
            self.dirty.push(link.record);
            self.seen.push(link.remote);
        } else {
            links::unlink(tx, self.context.of, link.record)?;
            pass.log(LogEntry::new(LogAction::Unlinked, Some(link.record), Some(&link.remote)).because("Our record was deleted."));
        }
        pass.row.counters.skipped += 1;
        Ok(())
    }

    /// Two that are there belong together from now on.
    fn meet(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, one: &Incoming, record: RecordId, ours: &HashMap<RecordId, Record>) -> Result<()> {
        let Some(ours) = ours.get(&record) else { return Ok(()) };
        let link = new_link(one, ours, pass.row.number);
        pass.log(LogEntry::new(LogAction::Linked, Some(record), Some(&one.remote.id)));
        intents::done(tx, self.context.of, std::iter::once(record))?;
        self.merge_one(tx, pass, one, link, ours, None, true)
    }

    #[allow(clippy::too_many_arguments, reason = "both sides, the link and what is decided about them")]
    fn merge_one(
        &mut self,
        tx: &mut Tx<'_>,
        pass: &mut Pass,
        one: &Incoming,
        mut link: Link,
        ours: &Record,
        conflicts: Option<&HashMap<String, Conflict>>,
        is_new: bool,
    ) -> Result<()> {
        if let Some(trouble) = Trouble::of_mapping(&one.here) {
            self.fail(pass, Some(ours.id), &one.remote.id, trouble);
            return Ok(());
        }
        let before = link.clone();
        let view = Plan::view(ours);
        let sides = merging::Record {
            view: &view,
            changed_at: ours.updated_at,
            remote: &one.remote,
            here: &one.here.values,
            there: None,
            conflicts,
        };
        let merged = merge(&self.context.plan, &sides, &mut link);
        match write_here(tx, self.context, &merged, ours, one, &mut link)? {
            Err(trouble) => {
                self.fail(pass, Some(ours.id), &one.remote.id, trouble);
                return Ok(());
            }
            Ok(true) => {
                pass.row.counters.updated += 1;
                pass.log(entry(LogAction::UpdatedHere, &link).fields(names(&merged)));
            }
            Ok(false) => pass.row.counters.unchanged += 1,
        }
        note_conflicts(tx, pass, &merged, &link, &view, one)?;
        (link.remote_at, link.seen) = (one.remote.modified_at.or(link.remote_at), link.seen.max(pass.row.number));
        if merged.wants_push || self.left_behind(&link, tx, ours.id, &merged)? {
            self.dirty.push(ours.id);
        }
        let seen = link.seen;
        if is_new || (Link { seen, ..before }) != link {
            self.changed.push(link);
        } else {
            self.seen.push(link.remote);
        }
        Ok(())
    }

    /// What our own rules made of a value that came (computed members) is an edit of ours.
    fn left_behind(&self, link: &Link, tx: &mut Tx<'_>, record: RecordId, merged: &Merged) -> Result<bool> {
        if merged.taken.is_empty() || !self.context.pushes() {
            return Ok(false);
        }
        let found = self.context.records.many_in(tx, &self.context.scope, self.context.resource(), &[record], false)?;
        let Some(record) = found.get(&record) else { return Ok(false) };
        Ok(differs(&self.context.plan, record, link))
    }

    fn fail(&mut self, pass: &mut Pass, record: Option<RecordId>, remote: &str, trouble: Trouble) {
        pass.row.counters.failed += 1;
        pass.log(LogEntry::failed(record, Some(remote), &trouble));
        self.failed.push((remote.to_owned(), trouble));
    }

    /// Of those that are not linked: which of ours they are.
    fn matched(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, fresh: Vec<Incoming>) -> Result<Matched> {
        let Some(key) = self.context.plan.key.as_ref().filter(|_| !fresh.is_empty()) else { return Ok((Vec::new(), fresh)) };
        let intents = intents::all(tx, self.context.of)?;
        let values: Vec<Value> = fresh.iter().filter_map(|one| one.here.values.get(&key.local).cloned()).collect();
        let (scope, resource) = (&self.context.scope, self.context.resource());
        let mut candidates: HashMap<String, Vec<RecordId>> = HashMap::new();
        for (form, record) in self.context.records.by_values_in(tx, scope, resource, &key.local, &values)? {
            let list = candidates.entry(form).or_default();
            if !list.contains(&record) {
                list.push(record);
            }
        }
        let all = candidates.values().flatten().copied().chain(intents.iter().map(|intent| intent.record));
        let all: Vec<RecordId> = all.collect();
        let mut taken: HashSet<RecordId> = links::by_record(tx, self.context.of, all.iter().copied())?.into_keys().collect();
        for record in all {
            match pass.rehearsal.is_linked(record) {
                Some(true) => taken.insert(record),
                Some(false) => taken.remove(&record),
                None => continue,
            };
        }
        let mut coming = HashSet::new();
        let (mut matched, mut unknown) = (Vec::new(), Vec::new());
        for one in fresh {
            let form = one.here.values.get(&key.local).and_then(records::canonical);
            let asked = asked_for(&intents, key, &one).filter(|record| !taken.contains(record));
            let having = form.as_ref().and_then(|form| candidates.get(form));
            match asked.or_else(|| having.into_iter().flatten().copied().find(|record| !taken.contains(record))) {
                Some(record) => {
                    taken.insert(record);
                    matched.push((one, record));
                }
                None if having.is_some() || form.is_some_and(|form| pass.rehearsal.has_key(&form) || !coming.insert(form)) => {
                    let text = format!("Another record of the vendor has the same {} and is linked already.", key.remote);
                    self.fail(pass, None, &one.remote.id, Trouble::new("duplicate_key", text).at(Some(key.local.clone())));
                }
                None => unknown.push(one),
            }
        }
        Ok((matched, unknown))
    }

    /// Those that nobody knows are made here.
    fn create(&mut self, tx: &mut Tx<'_>, pass: &mut Pass, unknown: Vec<Incoming>) -> Result<()> {
        let mut coming = Vec::with_capacity(unknown.len());
        for one in unknown {
            match Trouble::of_mapping(&one.here) {
                Some(trouble) => self.fail(pass, None, &one.remote.id, trouble),
                None => coming.push(one),
            }
        }
        if coming.is_empty() {
            return Ok(());
        }
        let context = self.context;
        let documents = coming.iter().map(|one| document(&one.here.values)).collect();
        let made = context.records.create_many_in(tx, &context.scope, context.resource(), documents)?;
        for (one, made) in coming.iter().zip(made) {
            match made {
                Ok(ours) => {
                    pass.row.counters.created += 1;
                    let mut link = new_link(one, &ours, pass.row.number);
                    agree_created(&context.plan, one, &ours, &mut link);
                    if context.pushes() && differs(&context.plan, &ours, &link) {
                        self.dirty.push(ours.id);
                    }
                    pass.log(entry(LogAction::CreatedHere, &link));
                    if pass.is_dry() {
                        let key = context.plan.key.as_ref().and_then(|key| one.here.values.get(&key.local));
                        pass.rehearsal.created(link.remote.clone(), key.and_then(records::canonical));
                    }
                    self.changed.push(link);
                }
                Err(error) => self.fail(pass, None, &one.remote.id, Trouble::of_error(&error)),
            }
        }
        Ok(())
    }

    fn store(self, tx: &mut Tx<'_>, pass: &mut Pass) -> Result<Vec<(String, Trouble)>> {
        let of = self.context.of;
        links::put(tx, of, &self.changed)?;
        if pass.is_dry() {
            self.rehearse(pass);
        }
        if pass.row.mode == Mode::Full && self.listed {
            links::mark_seen(tx, of, pass.row.number, self.seen.into_iter().chain(self.failed.iter().map(|(remote, _)| remote.clone())))?;
        }
        dirty::add(tx, of, &self.dirty)?;
        Ok(self.failed)
    }
}

impl Work<'_> {
    /// What later steps of a dry run have to know. Of a record that would be made here and is as it came, that it would be.
    fn rehearse(&self, pass: &mut Pass) {
        let rehearsal = &mut pass.rehearsal;
        for link in &self.changed {
            rehearsal.saw(link.remote.clone());
            if !rehearsal.is_created(&link.remote) {
                rehearsal.touch(link.record);
            }
        }
        for record in &self.dirty {
            rehearsal.touch(*record);
            rehearsal.queue(*record);
        }
        self.seen.iter().chain(self.failed.iter().map(|(remote, _)| remote)).for_each(|remote| rehearsal.saw(remote.clone()));
    }
}

/// The record that a creation was asked for with this key, if one was.
fn asked_for(intents: &[Intent], key: &KeyPlan, one: &Incoming) -> Option<RecordId> {
    let value = one.remote.fields.get(&key.remote)?;
    intents.iter().find(|intent| same(&intent.key, value) && !intent.key.is_null()).map(|intent| intent.record)
}

/// A link of two that were never agreed on.
pub(crate) fn new_link(one: &Incoming, ours: &Record, number: i64) -> Link {
    Link {
        record: ours.id,
        remote: one.remote.id.clone(),
        agreed_local: Map::new(),
        agreed_remote: Map::new(),
        remote_at: one.remote.modified_at,
        revision: ours.revision,
        writer: "remote",
        wrote_at: None,
        seen: number,
        unlinked: false,
    }
}

/// Our new record, of what the vendor's says: what it does not say is left to our defaults.
pub(crate) fn document(here: &Map<String, Value>) -> Map<String, Value> {
    let said: Map<String, Value> =
        here.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect();
    mappings::nest(&said)
}

/// What came is agreed; what our own rules added is an edit of ours.
pub(crate) fn agree_created(plan: &Plan, one: &Incoming, ours: &Record, link: &mut Link) {
    link.agreed_remote = plan.remote_values(&one.remote.fields);
    let view = Plan::view(ours);
    for pair in &plan.pairs {
        let local = Plan::local(&view, pair);
        let came = one.here.values.get(&pair.local).unwrap_or(&Value::Null);
        if !pair.ways.to_remote || same(local, came) {
            link.agreed_local.insert(pair.local.clone(), local.clone());
        }
    }
}

/// Whether a field that goes to the vendor is not as it was agreed.
pub(crate) fn differs(plan: &Plan, ours: &Record, link: &Link) -> bool {
    let view = Plan::view(ours);
    plan.pairs.iter().filter(|pair| pair.ways.to_remote).any(|pair| {
        let local = Plan::local(&view, pair);
        !same(link.agreed_local.get(&pair.local).unwrap_or(&Value::Null), local)
    })
}

/// Writes what came; true: something changed. What is stored then is agreed.
pub(crate) fn write_here(
    tx: &mut Tx<'_>,
    context: &Context,
    merged: &Merged,
    ours: &Record,
    one: &Incoming,
    link: &mut Link,
) -> Result<std::result::Result<bool, Trouble>> {
    if merged.patch.is_empty() {
        return Ok(Ok(false));
    }
    let (patch, reference) = (mappings::nest(&merged.patch), records::RecordRef::Id(ours.id));
    let written = tx.attempt(|tx| context.records.update_in(tx, &context.scope, context.resource(), &reference, patch))?;
    let after = match written {
        Ok(after) => after,
        Err(error) => return Ok(Err(Trouble::of_error(&error))),
    };
    let view = Plan::view(&after);
    for index in &merged.taken {
        let pair = &context.plan.pairs[*index];
        link.agreed_local.insert(pair.local.clone(), Plan::local(&view, pair).clone());
        if let Some(remote) = one.remote.fields.get(&pair.remote) {
            link.agreed_remote.insert(pair.remote.clone(), remote.clone());
        }
    }
    (link.revision, link.writer) = (after.revision, "remote");
    Ok(Ok(after.revision != ours.revision))
}

/// Stores what the merge says about conflicts.
pub(crate) fn note_conflicts(
    tx: &mut Tx<'_>,
    pass: &mut Pass,
    merged: &Merged,
    link: &Link,
    view: &Map<String, Value>,
    one: &Incoming,
) -> Result<()> {
    let context = Arc::clone(&pass.context);
    let theirs = |index: usize| {
        let pair = &context.plan.pairs[index];
        one.here.values.get(&pair.local).or_else(|| one.remote.fields.get(&pair.remote)).unwrap_or(&Value::Null)
    };
    for (index, agreed) in &merged.found {
        let pair = &context.plan.pairs[*index];
        let found = conflict_sql::Found {
            record: link.record,
            remote: &link.remote,
            field: &pair.local,
            remote_field: &pair.remote,
            local_value: Plan::local(view, pair),
            remote_value: theirs(*index),
            agreed_value: agreed,
        };
        conflict_sql::insert(tx, context.of, &found)?;
        pass.row.counters.conflicts += 1;
        pass.log(entry(LogAction::Conflict, link).fields(vec![pair.local.clone()]));
    }
    for (id, index) in &merged.refreshed {
        conflict_sql::refresh(tx, context.of, *id, Plan::local(view, &context.plan.pairs[*index]), theirs(*index))?;
    }
    for (id, resolved) in &merged.ended {
        conflict_sql::end(tx, context.of, *id, *resolved)?;
        if *resolved {
            pass.log(entry(LogAction::Resolved, link));
        }
    }
    for (field, side) in &merged.overridden {
        let whose =
            if *side == "local" { "An edit here was given up for the vendor's." } else { "An edit at the vendor was given up for ours." };
        pass.log(entry(LogAction::Overridden, link).fields(vec![field.clone()]).because(whose));
    }
    Ok(())
}

pub(crate) fn entry(action: LogAction, link: &Link) -> LogEntry {
    LogEntry::new(action, Some(link.record), Some(&link.remote))
}

fn names(merged: &Merged) -> Vec<String> {
    merged.patch.keys().cloned().collect()
}
