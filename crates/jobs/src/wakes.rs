//! Workers that wait. A notice that jobs of a type became ready wakes one of those that work for all tenants, and whoever got some wakes the
//! next; those that work for one tenant are all woken, since the job may be another's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use store::Change;
use tokio::sync::Notify;

use crate::TOPIC;

/// One type's.
#[derive(Default)]
pub(crate) struct Wake {
    pub(crate) any: Notify,
    pub(crate) bound: Notify,
    /// Whether some may be ready: the next who asks need not look before it writes.
    likely: AtomicBool,
}

impl Wake {
    /// Some became ready.
    pub(crate) fn tell(&self) {
        self.likely.store(true, Ordering::SeqCst);
        self.any.notify_one();
        self.bound.notify_waiters();
    }

    pub(crate) fn is_likely(&self) -> bool {
        self.likely.load(Ordering::SeqCst)
    }

    /// Before a look that may find none: a notice that comes during the look is kept.
    pub(crate) fn begin_look(&self) {
        self.likely.store(false, Ordering::SeqCst);
    }

    /// A look found some, so there may be more: the next who waits is to look. (Those bound to a tenant were all woken before.)
    pub(crate) fn found(&self) {
        self.likely.store(true, Ordering::SeqCst);
        self.any.notify_one();
    }
}

/// Every type's.
#[derive(Default)]
pub(crate) struct Wakes(Mutex<HashMap<String, Arc<Wake>>>);

impl Wakes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn of(&self, kind: &str) -> Arc<Wake> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wake) = all.get(kind) {
            return Arc::clone(wake);
        }
        Arc::clone(all.entry(kind.to_owned()).or_default())
    }

    /// A change notice. Anything may have changed: everybody looks.
    pub(crate) fn judge(&self, change: &Change) {
        if !change.concerns(TOPIC) {
            return;
        }
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if change.topic == TOPIC {
            if let Some(wake) = all.get(&change.key) {
                wake.tell();
            }
        } else {
            all.values().for_each(|wake| wake.tell());
        }
    }
}
