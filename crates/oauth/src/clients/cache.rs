//! Clients that were asked for lately. As with keys: what is unknown is not kept, and nothing that was read before a change is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kernel::ClientId;
use store::Change;

use super::OAuthClient;

/// Most clients kept; past it, all are dropped and found again.
const MOST: usize = 20_000;

#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    known: RwLock<HashMap<ClientId, Arc<OAuthClient>>>,
}

impl Cache {
    /// To be read before what will be inserted is read.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(crate) fn get(&self, id: ClientId) -> Option<Arc<OAuthClient>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn insert(&self, id: ClientId, client: Arc<OAuthClient>, since: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, client);
    }

    /// Drops what `change` is about.
    pub(crate) fn forget(&self, change: &Change) {
        if change.concerns("tenant") {
            self.generation.fetch_add(1, Ordering::SeqCst);
            self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        } else if change.concerns("client") || change.concerns(super::TOPIC) {
            self.generation.fetch_add(1, Ordering::SeqCst);
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            match change.key.parse::<ClientId>() {
                Ok(id) => drop(known.remove(&id)),
                // A notice that cannot be read is no reason to keep anything.
                Err(_) => known.clear(),
            }
        }
    }
}
