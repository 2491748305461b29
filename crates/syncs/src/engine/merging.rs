//! One linked record, field by field: what follows from both sides. Pure; whoever calls carries it out.

use std::collections::HashMap;

use connectors::RemoteRecord;
use kernel::ConflictId;
use kernel::Timestamp;
use serde_json::{Map, Value};

use crate::conflicts::{Choice, Conflict, ConflictState};
use crate::ledger::links::Link;
use crate::merge::{Sides, Verdict, judge, same};
use crate::plan::{PairPlan, Plan};

/// Both sides of a linked record.
pub(crate) struct Record<'a> {
    /// Ours, as the mapping reads it.
    pub(crate) view: &'a Map<String, Value>,
    /// When ours was last changed.
    pub(crate) changed_at: Timestamp,
    /// The vendor's.
    pub(crate) remote: &'a RemoteRecord,
    /// The vendor's, as we would store it.
    pub(crate) here: &'a Map<String, Value>,
    /// Ours, as the vendor would store it; none: it is not about to be written to.
    pub(crate) there: Option<&'a Map<String, Value>>,
    /// What waits for a decision, or for what follows from one, by our field.
    pub(crate) conflicts: Option<&'a HashMap<String, Conflict>>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// Our fields to be written, by path.
    pub(crate) patch: Map<String, Value>,
    /// Which pairs they are of.
    pub(crate) taken: Vec<usize>,
    /// The vendor's fields to be written.
    pub(crate) values: Map<String, Value>,
    /// Which pairs they are of.
    pub(crate) pushed: Vec<usize>,
    /// Something must go to the vendor.
    pub(crate) wants_push: bool,
    /// Our fields in which an edit of one side was given up, and which side's.
    pub(crate) overridden: Vec<(String, &'static str)>,
    /// New conflicts, by pair, with what both had.
    pub(crate) found: Vec<(usize, Value)>,
    /// Open conflicts whose values are others now.
    pub(crate) refreshed: Vec<(ConflictId, usize)>,
    /// Conflicts that are over, and whether by a decision.
    pub(crate) ended: Vec<(ConflictId, bool)>,
}

/// Judges every pair. What is agreed without writing anything is noted in `link`.
pub(crate) fn merge(plan: &Plan, record: &Record<'_>, link: &mut Link) -> Merged {
    let mut merged = Merged::default();
    for (index, pair) in plan.pairs.iter().enumerate() {
        let Some(remote) = record.remote.fields.get(&pair.remote) else { continue };
        let conflict = record.conflicts.and_then(|live| live.get(&pair.local));
        let decided = conflict.filter(|conflict| conflict.status == ConflictState::Decided);
        // A decision is carried out where both sides can be written: by a push.
        if decided.is_some() && record.there.is_none() {
            merged.wants_push = true;
            continue;
        }
        let field = Field { index, pair, local: Plan::local(record.view, pair), remote, record, conflict };
        match decided {
            Some(decided) => field.decided(decided, link, &mut merged),
            None => field.judged(link, &mut merged),
        }
    }
    merged
}

struct Field<'a> {
    index: usize,
    pair: &'a PairPlan,
    local: &'a Value,
    remote: &'a Value,
    record: &'a Record<'a>,
    conflict: Option<&'a Conflict>,
}

impl Field<'_> {
    fn here(&self) -> Option<&Value> {
        self.record.here.get(&self.pair.local)
    }

    fn there(&self) -> Option<&Value> {
        self.record.there.and_then(|there| there.get(&self.pair.remote))
    }

    fn judged(&self, link: &mut Link, merged: &mut Merged) {
        let remote_is_newer = self.record.remote.modified_at.map(|at| at > self.record.changed_at);
        let sides = Sides {
            local: self.local,
            remote: self.remote,
            remote_here: self.here(),
            local_there: self.there(),
            agreed_local: link.agreed_local.get(&self.pair.local),
            agreed_remote: link.agreed_remote.get(&self.pair.remote),
            remote_is_newer,
        };
        let verdict = judge(self.pair.ways, self.pair.policy, &sides);
        if verdict == Verdict::Conflict {
            return self.conflict(link, merged);
        }
        merged.ended.extend(self.conflict.map(|conflict| (conflict.id, false)));
        match verdict {
            Verdict::Keep | Verdict::Conflict => {}
            Verdict::Agree => self.agree(link),
            Verdict::TakeRemote { lost } => self.take(lost, merged),
            Verdict::PushLocal { lost } => self.push(lost, link, merged),
        }
    }

    fn agree(&self, link: &mut Link) {
        link.agreed_local.insert(self.pair.local.clone(), self.local.clone());
        link.agreed_remote.insert(self.pair.remote.clone(), self.remote.clone());
    }

    fn take(&self, lost: bool, merged: &mut Merged) {
        let Some(here) = self.here() else { return };
        merged.patch.insert(self.pair.local.clone(), here.clone());
        merged.taken.push(self.index);
        if lost {
            merged.overridden.push((self.pair.local.clone(), "local"));
        }
    }

    fn push(&self, lost: bool, link: &mut Link, merged: &mut Merged) {
        merged.wants_push = true;
        if lost {
            merged.overridden.push((self.pair.local.clone(), "remote"));
        }
        if let Some(there) = self.there() {
            merged.values.insert(self.pair.remote.clone(), there.clone());
            merged.pushed.push(self.index);
        }
        if lost {
            self.overrule(link);
        }
    }

    /// The vendor's edit is noted as given up, and ours counts as changed until it is there: whoever stops in between goes on with the same.
    fn overrule(&self, link: &mut Link) {
        link.agreed_local.remove(&self.pair.local);
        link.agreed_remote.insert(self.pair.remote.clone(), self.remote.clone());
    }

    fn conflict(&self, link: &Link, merged: &mut Merged) {
        let theirs = self.here().unwrap_or(self.remote);
        match self.conflict {
            Some(known) if same(&known.local_value, self.local) && same(&known.remote_value, theirs) => {}
            Some(known) => merged.refreshed.push((known.id, self.index)),
            None => {
                let agreed = link.agreed_local.get(&self.pair.local).cloned().unwrap_or(Value::Null);
                merged.found.push((self.index, agreed));
            }
        }
    }

    fn decided(&self, decided: &Conflict, link: &mut Link, merged: &mut Merged) {
        match decided.decision {
            Some(Choice::Remote) => {
                let Some(here) = self.here() else { return };
                merged.patch.insert(self.pair.local.clone(), here.clone());
                merged.taken.push(self.index);
            }
            choice => {
                let Some(there) = self.there() else { return };
                if choice == Some(Choice::Value) {
                    // Ours is written first; the vendor's follows, as with every edit of ours.
                    merged.patch.insert(self.pair.local.clone(), decided.value.clone().unwrap_or(Value::Null));
                }
                merged.values.insert(self.pair.remote.clone(), there.clone());
                merged.pushed.push(self.index);
                merged.wants_push = true;
                self.overrule(link);
            }
        }
        merged.ended.push((decided.id, true));
    }
}

/// Our record as it will be when decisions about values of their own are carried out.
pub(crate) fn with_decisions(view: &Map<String, Value>, conflicts: Option<&HashMap<String, Conflict>>) -> Map<String, Value> {
    let mut view = view.clone();
    for conflict in conflicts.into_iter().flat_map(HashMap::values) {
        if conflict.status == ConflictState::Decided && conflict.decision == Some(Choice::Value) {
            mappings::set(&mut view, &conflict.field, conflict.value.clone().unwrap_or(Value::Null));
        }
    }
    view
}
