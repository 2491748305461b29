//! Keys that were used lately, by key id.
//!
//! The race that matters: a revocation commits while a key is being read. The reader takes the [`Generation`] before it reads, and what it
//! read is kept only if the generation is still the same, checked under the lock of its shard; an invalidation raises the generation
//! first and sweeps the shards afterwards. So either the insert sees the new generation, or the sweep sees the insert.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{Credential, GrantId, TenantId, Timestamp, UserId};
use store::Change;

use super::{Principal, Standing, presented};
use crate::access_tokens;

const SHARDS: usize = 16;
/// Most keys kept in one shard: 100,000 in all.
const SHARD_MAX: usize = 100_000 / SHARDS;

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

/// Keys of one shard, with a clock's hand among them: when it is full, the hand goes round, passes by every key that was used since it came
/// by last, and drops the first that was not. So a thousand keys that are in use stay, whatever millions pass through.
#[derive(Default)]
struct Shard {
    kept: HashMap<u128, Kept>,
    /// Places of keys; of one that was dropped in another way, until the hand finds it.
    ring: Vec<u128>,
    hand: usize,
}

struct Kept {
    entry: Arc<Entry>,
    is_used: AtomicBool,
}

impl Shard {
    fn get(&self, place: u128) -> Option<Arc<Entry>> {
        let kept = self.kept.get(&place)?;
        // Looked at first, so that a key in constant use is not written to by every processor.
        if !kept.is_used.load(Ordering::Relaxed) {
            kept.is_used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&kept.entry))
    }

    fn insert(&mut self, place: u128, entry: Arc<Entry>) {
        // Not used yet: a key that is shown once goes before one that is shown again.
        if self.kept.insert(place, Kept { entry, is_used: AtomicBool::new(false) }).is_some() {
            return;
        }
        if self.ring.len() < SHARD_MAX {
            self.ring.push(place);
            return;
        }
        let slot = self.free_slot();
        self.ring[slot] = place;
    }

    /// Drops a key; where it stood in the ring. At most two rounds: the first takes every mark away.
    fn free_slot(&mut self) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (slot + 1) % self.ring.len();
            let place = self.ring[slot];
            match self.kept.get_mut(&place).map(|kept| kept.is_used.get_mut()) {
                Some(is_used) if *is_used => *is_used = false,
                _ => {
                    self.kept.remove(&place);
                    return slot;
                }
            }
        }
    }
}

/// The cache.
#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    shards: [RwLock<Shard>; SHARDS],
}

impl Cache {
    /// To be read before what will be inserted is read.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    pub(crate) fn get(&self, place: u128) -> Option<Arc<Entry>> {
        self.shard(place).read().unwrap_or_else(PoisonError::into_inner).get(place)
    }

    /// Keeps `entry`, unless something changed since `since`. A full shard loses an entry that was not used lately.
    pub(crate) fn insert(&self, place: u128, entry: Arc<Entry>, since: Generation) {
        let mut shard = self.shard(place).write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != since {
            return;
        }
        shard.insert(place, entry);
    }

    /// Drops what `change` is about.
    pub(crate) fn forget(&self, change: &Change) {
        let id = change.key.as_str();
        match change.topic.as_str() {
            "key" => self.sweep_parsed(id, |p, id| matches!(&p.credential, Credential::Key { key, .. } if *key == id)),
            "service_key" => self.sweep_parsed(id, |p, id| matches!(&p.credential, Credential::ServiceKey { key, .. } if *key == id)),
            "client" => self.sweep_parsed(id, |p, client| p.client == Some(client)),
            "tenant" => self.sweep_parsed(id, |p, tenant: TenantId| {
                p.tenant == Some(tenant) || p.token.as_ref().is_some_and(|token| token.client_tenant == tenant)
            }),
            access_tokens::TOPIC => self.forget_one(presented::token_place(id)),
            access_tokens::GRANT_TOPIC => {
                self.sweep_parsed(id, |p, grant: GrantId| p.token.as_ref().is_some_and(|token| token.grant == Some(grant)));
            }
            access_tokens::MEMBER_TOPIC => {
                self.sweep_parsed(id, |p, user: UserId| p.token.as_ref().is_some_and(|token| token.user == Some(user)));
            }
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

    fn forget_one(&self, place: u128) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.shard(place).write().unwrap_or_else(PoisonError::into_inner).kept.remove(&place);
    }

    fn sweep(&self, gone: impl Fn(&Principal) -> bool) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).kept.retain(|_, kept| !gone(&kept.entry.principal));
        }
    }

    fn shard(&self, place: u128) -> &RwLock<Shard> {
        // Key ids and hashes are uniform, so their low digits spread well; the bits of the kind are not among them.
        &self.shards[(place % SHARDS as u128) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Ambient, KeyId};

    fn entry(key: KeyId) -> Arc<Entry> {
        let ambient = Ambient::system();
        let credential = Credential::Key { key, client: ambient.id() };
        let principal = Principal { lineage: Some(key), ..Principal::plain(credential, Some(ambient.id()), "") };
        let principal = Arc::new(principal);
        Arc::new(Entry { hash: [0; 32], needs_secret: false, secret_hash: None, standing: Standing::Good, expires_at: None, principal })
    }

    fn change(topic: &str, key: impl std::fmt::Display) -> Change {
        Change { topic: topic.into(), key: key.to_string() }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (cache, ambient) = (Cache::default(), Ambient::system());
        let place = 7;
        let key: KeyId = ambient.id();
        let before = cache.generation();
        cache.forget(&change("key", key));
        cache.insert(place, entry(key), before);
        assert!(cache.get(place).is_none(), "the row may be the old one");
        cache.insert(place, entry(key), cache.generation());
        assert!(cache.get(place).is_some());
        cache.forget(&change("key", ambient.id::<KeyId>()));
        cache.forget(&change("tier", "basic"));
        assert!(cache.get(place).is_some(), "others' changes do not matter");
        cache.forget(&change("key", key));
        assert!(cache.get(place).is_none());
    }

    #[test]
    fn keys_in_use_stay_whatever_passes_through() {
        let (cache, ambient) = (Cache::default(), Ambient::system());
        let shared = entry(ambient.id());
        let random = || u128::from_le_bytes(ambient.bytes());
        let hot: Vec<u128> = (0..1000).map(|_| random()).collect();
        hot.iter().for_each(|place| cache.insert(*place, Arc::clone(&shared), cache.generation()));
        for _ in 0..10 {
            assert!(hot.iter().all(|place| cache.get(*place).is_some()));
            (0..30_000).for_each(|_| cache.insert(random(), Arc::clone(&shared), cache.generation()));
        }
        // What was swept out leaves its slot to the next.
        cache.forget(&change(Change::EVERYTHING, ""));
        (0..150_000).for_each(|_| cache.insert(random(), Arc::clone(&shared), cache.generation()));
        for shard in &cache.shards {
            let shard = shard.read().unwrap();
            assert!(shard.kept.len() <= SHARD_MAX && shard.ring.len() <= SHARD_MAX, "{} {}", shard.kept.len(), shard.ring.len());
        }
    }

    #[test]
    fn it_is_bounded() {
        let (cache, ambient) = (Cache::default(), Ambient::system());
        let shared = entry(ambient.id());
        for _ in 0..SHARDS * SHARD_MAX + 2000 {
            cache.insert(u128::from_le_bytes(ambient.bytes()), Arc::clone(&shared), cache.generation());
        }
        let sizes: Vec<usize> = cache.shards.iter().map(|shard| shard.read().unwrap().kept.len()).collect();
        assert!(sizes.iter().all(|size| *size > SHARD_MAX / 2 && *size <= SHARD_MAX), "{sizes:?}");
    }
}
