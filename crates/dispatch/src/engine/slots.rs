//! Places for attempts under way, shared by all lanes in turns.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lane::Lane;

pub(crate) struct Slots {
    state: Mutex<State>,
    total: usize,
}

struct State {
    free: usize,
    waiting: VecDeque<Arc<Lane>>,
}

impl Slots {
    pub(crate) fn new(total: usize) -> Self {
        Self { state: Mutex::new(State { free: total.max(1), waiting: VecDeque::new() }), total: total.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, unless there is none or others wait for one.
    pub(crate) fn take(&self) -> bool {
        let mut state = self.lock();
        let free = state.free > 0 && state.waiting.is_empty();
        state.free -= usize::from(free);
        free
    }

    /// Waits in line. The caller has marked the lane as queued.
    pub(crate) fn wait(&self, lane: Arc<Lane>) {
        self.lock().waiting.push_back(lane);
    }

    pub(crate) fn others_wait(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// Gives a place back.
    pub(crate) fn give(&self) {
        self.lock().free += 1;
    }

    /// A place for the lane whose turn it is.
    pub(crate) fn next(&self) -> Option<Arc<Lane>> {
        let mut state = self.lock();
        if state.free == 0 {
            return None;
        }
        let lane = state.waiting.pop_front()?;
        state.free -= 1;
        Some(lane)
    }

    pub(crate) fn in_use(&self) -> usize {
        self.total - self.lock().free
    }
}
