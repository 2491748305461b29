//! What binds a credential: worked out once from its tier, its environment, its client and itself, and again when one of them changes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use access::{LimitOverride, MonthlyQuota, Principal, Tiers};
use blueprint::model::Windows;
use http::HeaderValue;

use super::quotas::Quota;
use super::{Limits, Window};

/// Distinct combinations kept; past it the memory starts again.
const MOST: usize = 10_000;
/// Milliseconds in the three windows of a tier.
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What binds one credential. Kept with its principal, for as long as that is.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The snapshot of tiers that this was computed from.
    tiers: Arc<Tiers>,
    /// Its windows; none where none binds.
    pub(crate) limits: Option<Arc<Limits>>,
    /// Its quotas: its client's, then its own.
    pub(crate) quotas: Vec<Quota>,
    /// `RateLimit-Policy` for all of them.
    pub(crate) policy: HeaderValue,
}

impl Resolved {
    /// Whether nothing binds.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.limits.is_none() && self.quotas.is_empty()
    }
}

type Key = (Arc<str>, &'static str, Option<LimitOverride>, Option<LimitOverride>);

/// Windows by tier, environment and overrides, which many credentials share.
#[derive(Default)]
pub(crate) struct Known(RwLock<Memory>);

#[derive(Default)]
struct Memory {
    tiers: Option<Arc<Tiers>>,
    entries: HashMap<Key, Option<Arc<Limits>>>,
}

impl Known {
    /// What binds `principal` under `tiers`. None: a credential without a tier, which is not limited.
    pub(crate) fn of(&self, principal: &Principal, tiers: &Arc<Tiers>) -> Option<Arc<Resolved>> {
        let tier = principal.tier.as_ref()?;
        if let Some(known) = principal.attached.get::<Resolved>().filter(|known| Arc::ptr_eq(&known.tiers, tiers)) {
            return Some(known);
        }
        let resolved = Arc::new(self.resolve(tier, principal, tiers));
        principal.attached.set(Arc::clone(&resolved));
        Some(resolved)
    }

    fn resolve(&self, tier: &Arc<str>, principal: &Principal, tiers: &Arc<Tiers>) -> Resolved {
        let limits = self.windows(tier, principal, tiers);
        let tiered = tiers.or_default(tier).and_then(|tier| tier.monthly_quota).map(MonthlyQuota::from);
        let quotas = quotas(principal, principal.client_quota.or(tiered));
        let mut policy = limits.as_ref().map_or_else(String::new, |limits| limits.policy.to_str().unwrap_or_default().to_owned());
        for quota in &quotas {
            let separator = if policy.is_empty() { "" } else { ", " };
            // A month's length changes: the draft lets the window be left out.
            let _ = write!(policy, "{separator}\"{}\";q={}", quota.name, quota.limit);
        }
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(""));
        Resolved { tiers: Arc::clone(tiers), limits, quotas, policy }
    }

    fn windows(&self, tier: &Arc<str>, principal: &Principal, tiers: &Arc<Tiers>) -> Option<Arc<Limits>> {
        let key = (Arc::clone(tier), principal.environment, principal.client_limits.clone(), principal.limits.clone());
        {
            let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if memory.tiers.as_ref().is_some_and(|known| Arc::ptr_eq(known, tiers))
                && let Some(found) = memory.entries.get(&key)
            {
                return found.clone();
            }
        }
        let base = tiers.or_default(tier).map(|tier| tier.windows(principal.environment)).unwrap_or_default();
        let limits = limits_of(base, principal.client_limits.as_ref(), principal.limits.as_ref()).map(Arc::new);
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.entries.len() >= MOST || !memory.tiers.as_ref().is_some_and(|known| Arc::ptr_eq(known, tiers)) {
            memory.entries.clear();
            memory.tiers = Some(Arc::clone(tiers));
        }
        memory.entries.insert(key, limits.clone());
        limits
    }
}

/// Of the client (its own, or its tier's) and of the key; both hold.
fn quotas(principal: &Principal, of_client: Option<MonthlyQuota>) -> Vec<Quota> {
    let Some(tenant) = principal.tenant else { return Vec::new() };
    let client = principal.client.zip(of_client).map(|(client, own)| Quota::of_client(tenant, client, own));
    let key = principal.quota.map(|own| Quota::of_key(tenant, Arc::clone(&principal.limit_id), own));
    client.into_iter().chain(key).collect()
}

/// A tier's windows, changed by a client's own, changed by a key's own.
pub(crate) fn limits_of(tier: Windows, client: Option<&LimitOverride>, own: Option<&LimitOverride>) -> Option<Limits> {
    // A key's own windows stand on its client's, unless these are of another kind.
    let base = client.map_or(tier, |client| changed(tier, client).unwrap_or(tier));
    match own.or(client) {
        Some(LimitOverride::Window { requests, window }) => {
            Limits::new(vec![Window { name: "custom", quota: u64::from(*requests), millis: *window }], None)
        }
        Some(form) if own.is_some() => tiered(changed(base, form).unwrap_or(base)),
        _ => tiered(base),
    }
}

/// None: the form takes the place of all windows.
fn changed(base: Windows, form: &LimitOverride) -> Option<Windows> {
    match form {
        // A number is the requests per minute, and the burst below no longer fits it.
        LimitOverride::PerMinute(count) => Some(Windows { per_minute: Some(*count), burst: None, ..base }),
        LimitOverride::Windows { per_minute, per_hour, per_day, burst } => {
            Some(Windows { per_minute: *per_minute, per_hour: *per_hour, per_day: *per_day, burst: *burst }.over(base))
        }
        LimitOverride::Window { .. } => None,
    }
}

fn tiered(windows: Windows) -> Option<Limits> {
    let window = |name, quota: Option<u32>, millis| quota.map(|quota| Window { name, quota: u64::from(quota), millis });
    let all = [window("minute", windows.per_minute, MINUTE), window("hour", windows.per_hour, HOUR), window("day", windows.per_day, DAY)];
    // A burst belongs to the minute: where no minute is limited there is nothing to refill it from.
    let burst = windows.burst.filter(|_| windows.per_minute.is_some()).map(u64::from);
    Limits::new(all.into_iter().flatten().collect(), burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIER: Windows = Windows { per_minute: Some(60), per_hour: Some(1000), per_day: None, burst: Some(10) };

    fn shown(client: Option<&LimitOverride>, own: Option<&LimitOverride>) -> String {
        limits_of(TIER, client, own).unwrap().policy.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_clients_own_stand_above_the_tier_and_a_keys_own_above_both() {
        let hour = |count| LimitOverride::Windows { per_minute: None, per_hour: Some(count), per_day: None, burst: None };
        let (number, second) = (LimitOverride::PerMinute(7), LimitOverride::Window { requests: 5, window: 1000 });
        assert_eq!(shown(None, None), "\"burst\";q=10;w=10, \"minute\";q=60;w=60, \"hour\";q=1000;w=3600");
        assert_eq!(shown(Some(&hour(50)), None), "\"burst\";q=10;w=10, \"minute\";q=60;w=60, \"hour\";q=50;w=3600");
        assert_eq!(shown(Some(&hour(50)), Some(&number)), "\"minute\";q=7;w=60, \"hour\";q=50;w=3600");
        assert_eq!(shown(Some(&number), Some(&hour(9))), "\"minute\";q=7;w=60, \"hour\";q=9;w=3600");
        assert_eq!(shown(Some(&second), None), "\"custom\";q=5;w=1");
        assert_eq!(shown(Some(&hour(50)), Some(&second)), "\"custom\";q=5;w=1");
        assert_eq!(shown(Some(&second), Some(&hour(9))), "\"burst\";q=10;w=10, \"minute\";q=60;w=60, \"hour\";q=9;w=3600");
        assert_eq!(limits_of(Windows::default(), None, None), None);
    }
}
