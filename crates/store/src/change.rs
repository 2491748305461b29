//! Change notices: how caches on every node learn that something changed.

use std::fmt;
use std::sync::{Arc, RwLock};

/// "`key` of `topic` changed." A notice may come late or twice, and says nothing about the new value: read it again.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing, such as `key` or `tier`; `*` means anything at all may have changed.
    pub topic: String,
    /// Which one.
    pub key: String,
}

impl Change {
    /// The topic of a notice after which every cache starts again: another process wrote to the SQLite file, or notices were lost.
    pub const EVERYTHING: &'static str = "*";

    pub(crate) fn everything() -> Self {
        Self { topic: Self::EVERYTHING.into(), key: String::new() }
    }

    /// Whether a cache of `topic` must look.
    pub fn concerns(&self, topic: &str) -> bool {
        self.topic == topic || self.topic == Self::EVERYTHING
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic, self.key)
    }
}

/// Called with every notice, on the thread that got it: it must be quick and must not call the store and wait.
pub type Listener = Box<dyn Fn(&Change) + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<RwLock<Vec<Listener>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Listener) {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(listener);
    }

    pub(crate) fn tell(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let listeners = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        for change in changes {
            for listener in listeners.iter() {
                listener(change);
            }
        }
    }
}
