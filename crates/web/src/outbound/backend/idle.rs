//! Idle connections to one backend: the last one that came is the first to go, so that those that are not needed grow old.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::driven::Driven;

/// Threads keep their connections apart, as long as there are not more of them than this.
const SHELVES: usize = 8;

#[allow(clippy::vec_box, reason = "a connection is large, and moves between a call and its shelf")]
type Shelf = Mutex<Vec<Box<Driven>>>;

/// See the module.
pub(super) struct Idle {
    shelves: [Shelf; SHELVES],
    held: AtomicUsize,
    most: usize,
    time: Duration,
}

impl Idle {
    pub(super) fn new(most: usize, time: Duration) -> Self {
        Self { shelves: Default::default(), held: AtomicUsize::new(0), most, time }
    }

    /// A connection that can be used now. Those found dead are dropped.
    pub(super) fn take(&self) -> Option<Box<Driven>> {
        let own = own_shelf();
        (0..SHELVES).find_map(|step| self.take_from((own + step) % SHELVES))
    }

    fn take_from(&self, at: usize) -> Option<Box<Driven>> {
        if self.held.load(Ordering::Relaxed) == 0 {
            return None;
        }
        loop {
            let mut found = self.shelves[at].lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            self.held.fetch_sub(1, Ordering::Relaxed);
            if found.is_fit(self.time) {
                return Some(found);
            }
        }
    }

    /// Keeps a connection, unless there are enough.
    pub(super) fn put(&self, connection: Box<Driven>) {
        if self.held.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.held.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        self.shelves[own_shelf()].lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Closes those that are too old or were closed by the other side.
    pub(super) fn sweep(&self) {
        for shelf in &self.shelves {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let before = shelf.len();
            shelf.retain_mut(|connection| connection.is_fit(self.time));
            self.held.fetch_sub(before - shelf.len(), Ordering::Relaxed);
        }
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

fn own_shelf() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHELVES);
        }
        own.get()
    })
}
