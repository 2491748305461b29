//! Places for attempts under way, shared by all lanes in turns.
//!
//! Receivers that hang keep their places until the time-out, and somebody may have many of them. So a lane has its first place before
//! another has its second: more than one at a time comes out of one half of all places, and the last ones are for tenants that hold few.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::TenantId;

use super::lane::Lane;

/// One in so many is kept for tenants that hold few.
const KEPT: usize = 8;
/// Few: fewer than one in so many.
const FEW: usize = 32;

/// Which of its places a lane asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has none.
    First,
    /// It has some. It does not wait for this: when one of its attempts ends, it asks again.
    More,
}

pub(crate) struct Slots {
    state: Mutex<State>,
    total: usize,
}

struct State {
    free: usize,
    held: HashMap<TenantId, usize>,
    /// Lanes that wait, and whose turn it is: tenants go round, and within each its lanes.
    lines: HashMap<TenantId, VecDeque<Arc<Lane>>>,
    turns: VecDeque<TenantId>,
}

impl State {
    fn may_take(&self, tenant: TenantId, place: Place, total: usize) -> bool {
        let held = self.held.get(&tenant).copied().unwrap_or(0);
        let enough = match place {
            Place::First => self.free > total / KEPT || (self.free > 0 && held < (total / FEW).max(1)),
            Place::More => self.free > total / 2,
        };
        enough && held < (total * 3 / 4).max(1)
    }

    fn whose_turn(&self, total: usize) -> Option<usize> {
        self.turns.iter().position(|tenant| self.may_take(*tenant, Place::First, total))
    }

    fn take(&mut self, tenant: TenantId) {
        self.free -= 1;
        *self.held.entry(tenant).or_default() += 1;
    }
}

impl Slots {
    pub(crate) fn new(total: usize) -> Self {
        let total = total.max(1);
        Self { state: Mutex::new(State { free: total, held: HashMap::new(), lines: HashMap::new(), turns: VecDeque::new() }), total }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, unless there is none for this tenant or others wait that could have it.
    pub(crate) fn take(&self, tenant: TenantId, place: Place) -> bool {
        let mut state = self.lock();
        let takes = state.may_take(tenant, place, self.total) && state.whose_turn(self.total).is_none();
        if takes {
            state.take(tenant);
        }
        takes
    }

    /// Waits in line for its first place. The caller has marked the lane as queued.
    pub(crate) fn wait(&self, tenant: TenantId, lane: Arc<Lane>) {
        let mut state = self.lock();
        let line = state.lines.entry(tenant).or_default();
        line.push_back(lane);
        if line.len() == 1 {
            state.turns.push_back(tenant);
        }
    }

    /// Whether someone waits who could have the place that this tenant is about to give back.
    pub(crate) fn others_wait(&self, tenant: TenantId) -> bool {
        let state = self.lock();
        state.lines.contains_key(&tenant) || state.whose_turn(self.total).is_some()
    }

    /// Gives a place back.
    pub(crate) fn give(&self, tenant: TenantId) {
        let mut state = self.lock();
        state.free += 1;
        if let Some(held) = state.held.get_mut(&tenant) {
            *held -= 1;
            if *held == 0 {
                state.held.remove(&tenant);
            }
        }
    }

    /// A place for the lane whose turn it is.
    pub(crate) fn next(&self) -> Option<(TenantId, Arc<Lane>)> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let tenant = state.turns.remove(state.whose_turn(self.total)?)?;
        let line = state.lines.get_mut(&tenant)?;
        let lane = line.pop_front()?;
        if line.is_empty() {
            state.lines.remove(&tenant);
        } else {
            state.turns.push_back(tenant);
        }
        state.take(tenant);
        Some((tenant, lane))
    }

    pub(crate) fn in_use(&self) -> usize {
        self.total - self.lock().free
    }
}

#[cfg(test)]
mod tests {
    use kernel::Ambient;

    use super::*;

    #[test]
    fn first_places_are_kept_for_those_who_have_none() {
        let (slots, ambient) = (Slots::new(512), Ambient::system());
        let tenants: Vec<TenantId> = (0..8).map(|_| ambient.id()).collect();
        let all = |tenant, place| std::iter::repeat_with(|| slots.take(tenant, place)).take_while(|taken| *taken).count();
        assert_eq!(all(tenants[0], Place::More), 256, "half of all");
        assert_eq!(all(tenants[1], Place::More), 0);
        assert_eq!(all(tenants[0], Place::First), 128, "a tenant has at most three quarters");
        assert_eq!(all(tenants[1], Place::First), 64, "an eighth is kept");
        assert_eq!(all(tenants[2], Place::First), 16, "for those who hold few");
        slots.give(tenants[0]);
        assert!(!slots.take(tenants[1], Place::First) && slots.take(tenants[3], Place::First));
    }
}
