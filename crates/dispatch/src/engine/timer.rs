//! When to look at which lane. Holds times, not deliveries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::{DestinationId, Timestamp};
use tokio::sync::Notify;

/// The clock is looked at this often while anything waits: it may have been moved.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(crate) struct Timer {
    heap: Mutex<BinaryHeap<Reverse<(Timestamp, DestinationId)>>>,
    changed: Notify,
}

impl Timer {
    pub(crate) fn add(&self, at: Timestamp, lane: DestinationId) {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let first = heap.peek().is_none_or(|Reverse((earliest, _))| at < *earliest);
        heap.push(Reverse((at, lane)));
        drop(heap);
        if first {
            self.changed.notify_one();
        }
    }

    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// All whose time has come, and how long until the next.
    pub(crate) fn due(&self, now: Timestamp) -> (Vec<(Timestamp, DestinationId)>, Option<Duration>) {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        while let Some(Reverse((at, _))) = heap.peek() {
            if *at > now {
                return (due, Some(at.since(now)));
            }
            due.extend(heap.pop().map(|Reverse(entry)| entry));
        }
        (due, None)
    }

    /// Until it is worth looking again.
    pub(crate) async fn rest(&self, next: Option<Duration>) {
        match next {
            None => self.changed.notified().await,
            // Either way it is time to look.
            Some(wait) => drop(tokio::time::timeout(wait.min(LOOK_EVERY), self.changed.notified()).await),
        }
    }
}
