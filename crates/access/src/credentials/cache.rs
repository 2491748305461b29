//! Keys that were used lately, by key id.
//!
//! The race that matters: a revocation commits while a key is being read. The reader takes the [`Generation`] before it reads, and what it
//! read is kept only if the generation is still the same, checked under the lock of its shard; an invalidation raises the generation
//! first and sweeps the shards afterwards. So either the insert sees the new generation, or the sweep sees the insert.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{Credential, Timestamp};
use store::Change;

use super::Principal;
use crate::keys::token::{Token, Which};

const SHARDS: usize = 16;
/// Most keys kept in one shard: 100,000 in all.
const SHARD_MAX: usize = 100_000 / SHARDS;

/// What stands between a right secret and admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Good,
    /// The key is disabled or revoked.
    Ended,
    /// Its client is suspended.
    ClientSuspended,
    /// Its tenant is suspended.
    TenantSuspended,
}

/// What is known about a key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) hash: [u8; 32],
    pub(crate) needs_secret: bool,
    pub(crate) secret_hash: Option<[u8; 32]>,
    pub(crate) standing: Standing,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) principal: Arc<Principal>,
}

/// A number that every invalidation raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64);

type Shard = RwLock<HashMap<u128, Arc<Entry>>>;

/// The cache.
#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    shards: [Shard; SHARDS],
}

impl Cache {
    /// To be read before what will be inserted is read.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    pub(crate) fn get(&self, token: &Token<'_>) -> Option<Arc<Entry>> {
        let place = place(token);
        self.shard(place).read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    /// Keeps `entry`, unless something changed since `since`. A full shard loses some other entry.
    pub(crate) fn insert(&self, token: &Token<'_>, entry: Arc<Entry>, since: Generation) {
        let place = place(token);
        let mut shard = self.shard(place).write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        if shard.len() >= SHARD_MAX
            && let Some(victim) = shard.keys().next().copied()
        {
            shard.remove(&victim);
        }
        shard.insert(place, entry);
    }

    /// Drops what `change` is about.
    pub(crate) fn forget(&self, change: &Change) {
        let id = change.key.as_str();
        match change.topic.as_str() {
            "key" => self.sweep(|p| matches!(&p.credential, Credential::Key { key, .. } if key.to_string() == id)),
            "service_key" => self.sweep(|p| matches!(&p.credential, Credential::ServiceKey { key, .. } if key.to_string() == id)),
            "client" => self.sweep_parsed(id, |p, client| p.client == Some(client)),
            "tenant" => self.sweep_parsed(id, |p, tenant| p.tenant == Some(tenant)),
            Change::EVERYTHING => self.sweep(|_| true),
            _ => {}
        }
    }

    fn sweep_parsed<I: kernel::id::TypedId>(&self, id: &str, gone: impl Fn(&Principal, I) -> bool) {
        // A notice that cannot be read is no reason to keep anything.
        match id.parse::<I>() {
            Ok(id) => self.sweep(|principal| gone(principal, id)),
            Err(_) => self.sweep(|_| true),
        }
    }

    fn sweep(&self, gone: impl Fn(&Principal) -> bool) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).retain(|_, entry| !gone(&entry.principal));
        }
    }

    fn shard(&self, place: u128) -> &Shard {
        // Key ids are uniform, so their low digits spread well; the kind bit is not among them.
        &self.shards[(place % SHARDS as u128) as usize]
    }
}

/// The key id as a number (12 digits of base 62 are less than 72 bits), and its kind above.
fn place(token: &Token<'_>) -> u128 {
    token.number() | (u128::from(token.which() == Which::Service) << 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::token::{self, Label};
    use kernel::{Ambient, KeyId, PermissionSet};

    fn entry(key: KeyId) -> Arc<Entry> {
        let ambient = Ambient::system();
        let principal = Principal {
            credential: Credential::Key { key, client: ambient.id() },
            tenant: Some(ambient.id()),
            client: None,
            scopes: Arc::from([]),
            permissions: PermissionSet::NONE,
            tier: None,
            limits: None,
            allowed_ips: Vec::new(),
            allowed_endpoints: Vec::new(),
            allowed_origins: Vec::new(),
            expires_at: None,
            limit_id: "".into(),
        };
        let principal = Arc::new(principal);
        Arc::new(Entry { hash: [0; 32], needs_secret: false, secret_hash: None, standing: Standing::Good, expires_at: None, principal })
    }

    fn change(topic: &str, key: impl std::fmt::Display) -> Change {
        Change { topic: topic.into(), key: key.to_string() }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (cache, ambient) = (Cache::default(), Ambient::system());
        let minted = token::mint(&ambient, "tw", Label::Live);
        let token = token::parse(minted.token.reveal()).unwrap();
        let key: KeyId = ambient.id();
        let before = cache.generation();
        cache.forget(&change("key", key));
        cache.insert(&token, entry(key), before);
        assert!(cache.get(&token).is_none(), "the row may be the old one");
        cache.insert(&token, entry(key), cache.generation());
        assert!(cache.get(&token).is_some());
        cache.forget(&change("key", ambient.id::<KeyId>()));
        cache.forget(&change("tier", "basic"));
        assert!(cache.get(&token).is_some(), "others' changes do not matter");
        cache.forget(&change("key", key));
        assert!(cache.get(&token).is_none());
    }

    #[test]
    fn it_is_bounded() {
        let (cache, ambient) = (Cache::default(), Ambient::system());
        let shared = entry(ambient.id());
        for _ in 0..SHARDS * SHARD_MAX + 2000 {
            let minted = token::mint(&ambient, "tw", Label::Live);
            let token = token::parse(minted.token.reveal()).unwrap();
            cache.insert(&token, Arc::clone(&shared), cache.generation());
        }
        let sizes: Vec<usize> = cache.shards.iter().map(|shard| shard.read().unwrap().len()).collect();
        assert!(sizes.iter().all(|size| *size > SHARD_MAX / 2 && *size <= SHARD_MAX), "{sizes:?}");
    }
}
