//! The limits of each credential, computed once and again when its principal or the tiers change.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use access::{LimitOverride, Principal, Tiers};

use super::Limits;

/// Distinct combinations kept; past it the memory starts again.
const MOST: usize = 10_000;

type Key = (Arc<str>, Option<LimitOverride>);

/// Limits by tier and override.
#[derive(Default)]
pub(crate) struct Known(RwLock<Memory>);

#[derive(Default)]
struct Memory {
    /// The snapshot of tiers that the entries were computed from.
    tiers: Option<Arc<Tiers>>,
    entries: HashMap<Key, Option<Arc<Limits>>>,
}

impl Known {
    /// The limits of `principal` under `tiers`; none where nothing binds.
    pub(crate) fn of(&self, tier: &Arc<str>, principal: &Principal, tiers: &Arc<Tiers>) -> Option<Arc<Limits>> {
        let key = (Arc::clone(tier), principal.limits.clone());
        {
            let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if memory.tiers.as_ref().is_some_and(|known| Arc::ptr_eq(known, tiers))
                && let Some(found) = memory.entries.get(&key)
            {
                return found.clone();
            }
        }
        let limits = Limits::of(tiers.or_default(tier), principal.limits.as_ref()).map(Arc::new);
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.entries.len() >= MOST || !memory.tiers.as_ref().is_some_and(|known| Arc::ptr_eq(known, tiers)) {
            memory.entries.clear();
            memory.tiers = Some(Arc::clone(tiers));
        }
        memory.entries.insert(key, limits.clone());
        limits
    }
}
