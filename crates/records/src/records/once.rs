//! A batch under an idempotency key, which is many transactions: how far it came is kept with what each of them did.
//!
//! The first part fills the request's own slot, so that the key is taken from the first commit on. Each further one has a slot of its own
//! under the same key, which no caller can name: no key has a line break. Its name has in it what the first part drew by lot, so that parts
//! are never told apart from the first that they followed, which is the first of all to be forgotten.

use kernel::{RecordId, RequestSlot, Scope, TenantScope};
use serde::{Deserialize, Serialize};

/// What is kept of one part.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept<T> {
    /// Drawn by lot; the first part's is in the names of all others.
    pub(super) run: RecordId,
    /// Of the items that this part did.
    pub(super) outcomes: Vec<T>,
}

/// How far a request's batch has come.
pub(super) struct Once {
    whole: Scope,
    run: Option<RecordId>,
    parts: usize,
    replayed: usize,
}

impl Once {
    /// For a request that carries a key.
    pub(super) fn of(scope: &TenantScope) -> Self {
        Self { whole: scope.clone().into(), run: None, parts: 0, replayed: 0 }
    }

    fn slot(&self) -> Option<&RequestSlot> {
        self.whole.request()?.slot.as_ref()
    }

    /// The authority for the next part, with its slot.
    pub(super) fn part(&self, scope: &TenantScope) -> TenantScope {
        let Some(slot) = self.slot() else { return scope.clone() };
        let key = match self.run {
            Some(run) => format!("{}\n{run}\n{}", slot.key, self.parts),
            None => slot.key.clone(),
        };
        scope.with_slot(RequestSlot::new(key, slot.owner.clone(), slot.fingerprint))
    }

    /// A part is committed, now or before.
    pub(super) fn done(&mut self, part: &TenantScope, run: RecordId) {
        self.run.get_or_insert(run);
        self.parts += 1;
        self.replayed += usize::from(part.is_replayed());
        if let Some(slot) = self.slot() {
            // The answer is the operation's from here on: no front door keeps another.
            slot.take();
        }
    }

    /// All is done. The answer is an earlier one if nothing was done now.
    pub(super) fn end(&self) {
        if let Some(slot) = self.slot().filter(|_| self.replayed == self.parts) {
            slot.mark_replayed();
        }
    }
}
