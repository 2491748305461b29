//! A waker between the parts of one call that all run in one task.
//!
//! The connection, the answer that it brings and the bodies wake each other while they are polled. Would they wake the task itself, it
//! would be scheduled again for nothing, several times a call. A ring during a poll is only noted: the poll goes round once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Nobody polls: a ring wakes the task.
const RESTING: u8 = 0;
/// Somebody polls and nothing has rung since.
const POLLING: u8 = 1;
/// Somebody polls, and there is more to do.
const RUNG: u8 = 2;

/// See the module.
#[derive(Default)]
pub(super) struct Bell {
    task: AtomicWaker,
    state: AtomicU8,
}

impl Bell {
    /// A poll begins, in the task of this waker.
    pub(super) fn begin(&self, task: &Waker) {
        self.task.register(task);
        self.state.store(POLLING, Ordering::SeqCst);
    }

    /// Whether the poll may end; otherwise something has rung meanwhile, and it must go round once more.
    pub(super) fn rest(&self) -> bool {
        let rested = self.state.compare_exchange(POLLING, RESTING, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if !rested {
            self.state.store(POLLING, Ordering::SeqCst);
        }
        rested
    }

    /// The poll ends although there may be more to do: the task comes back after others have had their turn.
    pub(super) fn yield_now(&self) {
        self.state.store(RESTING, Ordering::SeqCst);
        self.task.wake();
    }

    /// The poll ends with a result; what rang is of no interest any more.
    pub(super) fn done(&self) {
        self.state.store(RESTING, Ordering::SeqCst);
    }

    /// No task waits any more.
    pub(super) fn forget(&self) {
        self.task.take();
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let noted = self.state.compare_exchange(POLLING, RUNG, Ordering::SeqCst, Ordering::SeqCst);
        if noted == Err(RESTING) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_ring_during_a_poll_is_noted_and_one_at_rest_wakes() {
        let (count, bell) = (Arc::new(Count(AtomicUsize::new(0))), Arc::new(Bell::default()));
        let (task, ring) = (Waker::from(count.clone()), Waker::from(bell.clone()));
        bell.begin(&task);
        ring.wake_by_ref();
        ring.wake_by_ref();
        assert!(!bell.rest(), "it goes round once more");
        assert!(bell.rest());
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        ring.wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        bell.begin(&task);
        bell.done();
        bell.forget();
        ring.wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "nobody waits");
    }
}
