//! Sessions that were used lately, by the hash of their token.
//!
//! As with keys: what was read while a notice came is not kept. The reader takes the generation before it reads; a notice raises it first and
//! sweeps afterwards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::{SessionId, Timestamp, UserId};
use store::Change;

use super::SignedIn;

/// Most sessions kept; past it, all are read again.
const MOST: usize = 20_000;
/// How much later than known a use must be to be written.
const STEP: Duration = Duration::from_mins(1);

/// A session in memory.
pub(crate) struct Entry {
    pub(crate) signed_in: Arc<SignedIn>,
    /// The last use that the database knows of, in ms.
    seen: AtomicI64,
}

impl Entry {
    pub(crate) fn new(signed_in: Arc<SignedIn>, seen: Timestamp) -> Self {
        Self { signed_in, seen: AtomicI64::new(seen.millis()) }
    }

    /// Whether it has not ended by itself, as far as this node knows. Another may have seen it later.
    pub(crate) fn is_live(&self, idle: Duration, now: Timestamp) -> bool {
        let seen = Timestamp::from_millis(self.seen.load(Ordering::Relaxed));
        self.signed_in.expires_at > now && now.since(seen) < idle
    }

    /// Notes a use; whether it is to be written, which is then this caller's to do.
    pub(crate) fn is_worth_writing(&self, now: Timestamp) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        now.since(Timestamp::from_millis(seen)) >= STEP
            && self.seen.compare_exchange(seen, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    entries: RwLock<HashMap<[u8; 32], Arc<Entry>>>,
}

impl Cache {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    pub(crate) fn insert(&self, hash: [u8; 32], entry: Arc<Entry>, since: u64) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(hash, entry);
    }

    pub(crate) fn forget(&self, change: &Change) {
        let key = change.key.as_str();
        match change.topic.as_str() {
            super::TOPIC => {
                let id = key.parse::<SessionId>().ok();
                self.sweep(|one| id.is_none_or(|id| one.session == id));
            }
            access::people::USER_TOPIC => {
                let id = key.parse::<UserId>().ok();
                self.sweep(|one| id.is_none_or(|id| one.user == id));
            }
            // A tenant that is suspended, renamed or gone: seldom, and few sessions are read again.
            access::tenants::TOPIC | Change::EVERYTHING => self.sweep(|_| true),
            _ => {}
        }
    }

    fn sweep(&self, gone: impl Fn(&SignedIn) -> bool) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.entries.write().unwrap_or_else(PoisonError::into_inner).retain(|_, entry| !gone(&entry.signed_in));
    }
}
