//! How many calls may be tried again: a fifth of all, so that a backend in trouble is not given more work than usual.

use std::sync::atomic::{AtomicI64, Ordering};

/// What a call pays in.
const PER_CALL: i64 = 1;
/// What trying again costs: five calls.
const PER_RETRY: i64 = 5;
/// What there is at first, and at most: enough for some retries after a quiet time.
const MOST: i64 = 20 * PER_RETRY;

/// See the module.
pub(crate) struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(MOST))
    }
}

impl Budget {
    /// A call begins.
    pub(crate) fn pay_in(&self) {
        // Usually it is full, and nothing is written.
        if self.0.load(Ordering::Relaxed) < MOST {
            self.0.fetch_add(PER_CALL, Ordering::Relaxed);
        }
    }

    /// Whether a call may be tried again.
    pub(crate) fn take(&self) -> bool {
        let pay = |held: i64| (held >= PER_RETRY).then_some(held - PER_RETRY);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_calls_may_be_tried_again() {
        let budget = Budget::default();
        let first = (0..1000).filter(|_| budget.take()).count();
        assert_eq!(first, 20, "what was saved");
        let mut retried = 0;
        for _ in 0..1000 {
            budget.pay_in();
            retried += usize::from(budget.take());
        }
        assert_eq!(retried, 200);
    }
}
