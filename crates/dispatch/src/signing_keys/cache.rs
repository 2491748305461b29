//! Signing keys in memory: an attempt asks here, and so does anybody who looks at the public ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Result, Scope, TenantId, Timestamp};
use store::{Change, Store};
use web::signature::SigningKey;

use super::{TOPIC, WebhookKey, sql};

/// Tenants that are kept; beyond it everything is read anew.
const MOST: usize = 10_000;
/// Most public keys that are shown without a tenant's name.
const MOST_SHOWN: u32 = 1000;

type Keys = Arc<[(SigningKey, Option<Timestamp>)]>;
type Shown = Arc<[WebhookKey]>;

/// The keys of every tenant that has some, read when they are first asked for and forgotten when they change.
pub struct SigningKeys {
    store: Store,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Counts changes: what was read before one is not kept after it.
    generation: AtomicU64,
    signing: Mutex<HashMap<TenantId, Keys>>,
    /// None: of all tenants.
    shown: Mutex<HashMap<Option<TenantId>, Shown>>,
}

impl Kept {
    fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.signing.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn keep<K: Eq + std::hash::Hash, V>(&self, generation: u64, map: &Mutex<HashMap<K, V>>, key: K, value: V) {
        let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        if map.len() >= MOST {
            map.clear();
        }
        map.insert(key, value);
    }
}

impl SigningKeys {
    /// Follows changes from now on.
    pub fn new(store: &Store) -> Arc<Self> {
        let kept = Arc::new(Kept::default());
        let followed = Arc::downgrade(&kept);
        store.on_change(Box::new(move |change: &Change| {
            if change.concerns(TOPIC)
                && let Some(kept) = followed.upgrade()
            {
                // Keys change rarely: everything goes, and the next to ask reads.
                kept.forget();
            }
        }));
        Arc::new(Self { store: store.clone(), kept })
    }

    /// The tenant's keys that sign at `now`, the newest first.
    pub(crate) async fn signing(&self, tenant: TenantId, now: Timestamp) -> Result<Vec<SigningKey>> {
        let known = self.kept.signing.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        let keys = match known {
            Some(keys) => keys,
            None => {
                let generation = self.kept.generation.load(Ordering::SeqCst);
                let read = self.store.read(Scope::system("signing"), move |tx| sql::signing(tx, tenant, now)).await?;
                let keys: Keys = read.into();
                if !keys.is_empty() {
                    self.kept.keep(generation, &self.kept.signing, tenant, Arc::clone(&keys));
                }
                keys
            }
        };
        Ok(keys.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(key, _)| key.clone()).collect())
    }

    /// The public keys of one tenant that sign at `now`, or of all tenants (at most a thousand): nobody learns from it whether a tenant
    /// exists.
    pub async fn public(&self, tenant: Option<TenantId>, now: Timestamp) -> Result<Vec<WebhookKey>> {
        let known = self.kept.shown.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        let keys = match known {
            Some(keys) => keys,
            None => {
                let generation = self.kept.generation.load(Ordering::SeqCst);
                let read = self.store.read(Scope::system("signing"), move |tx| match tenant {
                    Some(tenant) => sql::valid(tx, tenant, now),
                    None => sql::all(tx, now, MOST_SHOWN),
                });
                let keys: Shown = read.await?.into();
                // Strangers may ask for tenants that do not exist; those take no place.
                if !keys.is_empty() || tenant.is_none() {
                    self.kept.keep(generation, &self.kept.shown, tenant, Arc::clone(&keys));
                }
                keys
            }
        };
        Ok(keys.iter().filter(|key| key.is_valid(now)).cloned().collect())
    }
}
