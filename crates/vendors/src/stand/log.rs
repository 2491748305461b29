//! The log of calls, with bounds.

use std::collections::VecDeque;
use std::sync::Mutex;

/// The latest calls that are kept.
const KEPT: usize = 10_000;

/// One call and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in milliseconds by the double's clock.
    pub at: i64,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The answer's status. That it was sent does not mean that it arrived.
    pub status: u16,
}

#[derive(Debug, Default)]
struct Kept {
    total: u64,
    entries: VecDeque<Entry>,
}

/// The latest calls, and how many there were in all.
#[derive(Debug, Default)]
pub struct Log(Mutex<Kept>);

impl Log {
    pub(super) fn add(&self, entry: Entry) {
        let mut kept = self.0.lock().expect("no holder of this lock panics");
        kept.total += 1;
        if kept.entries.len() == KEPT {
            kept.entries.pop_front();
        }
        kept.entries.push_back(entry);
    }

    /// How many calls there were, also those that are no longer kept. Control pages do not count.
    pub fn total(&self) -> u64 {
        self.0.lock().expect("no holder of this lock panics").total
    }

    /// The latest calls, the oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().expect("no holder of this lock panics").entries.iter().cloned().collect()
    }

    /// How many of the kept calls have this method and a target with this part.
    pub fn count(&self, method: &str, part: &str) -> usize {
        let kept = self.0.lock().expect("no holder of this lock panics");
        kept.entries.iter().filter(|entry| entry.method == method && entry.target.contains(part)).count()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.0.lock().expect("no holder of this lock panics") = Kept::default();
    }
}
