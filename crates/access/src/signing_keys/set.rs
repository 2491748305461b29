//! The keys in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kernel::{Result, Scope, Timestamp};
use serde_json::{Value, json};
use store::{Change, Store};

use super::{TOPIC, rotate, sql};
use crate::jose::{Algorithm, Signer};

/// The keys as they are, read when they are first asked for and when one was made.
pub struct SigningKeys {
    store: Store,
    algorithm: Algorithm,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Counts changes: what was read before one is old after it.
    generation: AtomicU64,
    set: ArcSwapOption<Read>,
}

/// What was read, and at which count of changes.
struct Read {
    generation: u64,
    set: Arc<KeySet>,
}

/// What is published and what signs.
pub struct KeySet {
    /// The newest first.
    keys: Vec<sql::Stored>,
    algorithm: Algorithm,
}

impl KeySet {
    /// The key that signs at `now`: the newest of the algorithm that is set up, of those that sign already. None: there is no key.
    pub fn signing(&self, now: Timestamp) -> Option<&Signer> {
        let own = || self.keys.iter().filter(|key| key.signer.algorithm() == self.algorithm);
        // Where the clock was set back before the first of them, that one.
        own().find(|key| key.active_at <= now).or_else(|| own().next_back()).map(|key| &key.signer)
    }

    /// The key set at `now` (RFC 7517 §5).
    pub fn published(&self, now: Timestamp) -> Value {
        let keys = self.keys.iter().filter(|key| key.retires_at.is_none_or(|at| now < at));
        json!({"keys": keys.map(|key| key.signer.public()).collect::<Vec<_>>()})
    }

    /// The published key of this id.
    pub fn find(&self, kid: &str, now: Timestamp) -> Option<&Signer> {
        let key = self.keys.iter().find(|key| key.signer.kid() == kid)?;
        key.retires_at.is_none_or(|at| now < at).then_some(&key.signer)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl SigningKeys {
    /// Follows changes from now on. The first key is of `algorithm`, and so is the next where the present one is of another.
    pub fn new(store: &Store, algorithm: Algorithm) -> Arc<Self> {
        let kept = Arc::new(Kept::default());
        let followed = Arc::downgrade(&kept);
        store.on_change(Box::new(move |change: &Change| {
            if change.concerns(TOPIC)
                && let Some(kept) = followed.upgrade()
            {
                kept.generation.fetch_add(1, Ordering::SeqCst);
            }
        }));
        Arc::new(Self { store: store.clone(), algorithm, kept })
    }

    /// What new keys sign with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The keys; the first one is made now if there is none. Errors: those of the store.
    pub async fn load(&self) -> Result<Arc<KeySet>> {
        let generation = self.kept.generation.load(Ordering::SeqCst);
        if let Some(read) = self.kept.set.load().as_ref().filter(|read| read.generation == generation) {
            return Ok(Arc::clone(&read.set));
        }
        let mut keys = self.read().await?;
        // Servers that are set up for different algorithms, while one setting replaces another, each have their key.
        if !keys.iter().any(|key| key.signer.algorithm() == self.algorithm && key.retires_at.is_none()) {
            let algorithm = self.algorithm;
            // Whichever node is first makes it; none waits until it signs, since nobody can have kept a set without it.
            self.store.write(Scope::system("signing_keys"), move |tx| rotate::make(tx, algorithm, Duration::ZERO).map(drop)).await?;
            keys = self.read().await?;
        }
        let set = Arc::new(KeySet { keys, algorithm: self.algorithm });
        self.kept.set.store(Some(Arc::new(Read { generation, set: Arc::clone(&set) })));
        Ok(set)
    }

    /// The keys as they were when they were last asked for, in a transaction that cannot wait: one that was replaced meanwhile is published
    /// long enough. None: nobody has asked yet.
    pub fn present(&self) -> Option<Arc<KeySet>> {
        self.kept.set.load().as_ref().map(|read| Arc::clone(&read.set))
    }

    async fn read(&self) -> Result<Vec<sql::Stored>> {
        self.store
            .read(Scope::system("signing_keys"), |tx| {
                let now = tx.now();
                sql::published(tx, now)
            })
            .await
    }
}
