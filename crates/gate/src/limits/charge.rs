//! What came of charging a request.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, Kind, Timestamp};

use super::quotas::QuotaUse;
use super::{BURST, Decision, Resolved};

/// A decision, with the limits that it was made by.
#[derive(Clone, Debug)]
pub struct Charge {
    pub(crate) resolved: Arc<Resolved>,
    pub(crate) decision: Decision,
    at: Timestamp,
}

/// A limit, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its policy's name: `minute`, `hour`, `day`, `custom`, `month`, `key-month`.
    pub policy: &'static str,
    /// The most in the window.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When the window ends.
    pub resets_at: Timestamp,
}

impl Charge {
    pub(crate) fn new(resolved: Arc<Resolved>, decision: Decision, at: Timestamp) -> Self {
        Self { resolved, decision, at }
    }

    /// Whether the request may pass, and is counted.
    pub fn is_admitted(&self) -> bool {
        self.decision.admitted
    }

    /// Whether a month's quota is what refused it, and no window.
    pub fn is_quota_exceeded(&self) -> bool {
        self.decision.refused.is_some_and(|(name, _)| self.is_quota(name))
    }

    /// Whether the policy of this name is a month's quota.
    pub(crate) fn is_quota(&self, policy: &str) -> bool {
        self.resolved.quotas.iter().any(|quota| quota.name == policy)
    }

    /// The window that is nearest to its end of quota: the least share of it is left; of equals, the longest. Where no window binds, a quota.
    /// A window that refused is the nearest.
    pub fn nearest(&self) -> Nearest {
        let windows = self.resolved.limits.as_ref().map(|limits| limits.windows.as_slice()).unwrap_or_default();
        let refused = self.decision.refused.map(|(name, _)| name);
        let found = windows.iter().zip(self.decision.left).enumerate().min_by_key(|(n, (window, (left, _)))| {
            let share = u128::from(*left) * 1_000_000 / u128::from(window.quota.max(1));
            (refused != Some(window.name), share, std::cmp::Reverse(*n))
        });
        if let Some((_, (window, (left, reset_in)))) = found {
            return self.told(window.name, window.quota, left, reset_in);
        }
        let quotas = self.resolved.quotas.iter().zip(self.decision.quotas).map(|(quota, left)| (quota, left.unwrap_or_default()));
        let share = |limit: u64, left: u64| u128::from(left) * 1_000_000 / u128::from(limit.max(1));
        let quota = quotas.min_by_key(|(quota, (left, _))| share(quota.limit, *left));
        quota.map_or_else(|| self.told("none", 0, 0, 0), |(quota, (left, reset_in))| self.told(quota.name, quota.limit, left, reset_in))
    }

    fn told(&self, policy: &'static str, limit: u64, remaining: u64, reset_in: u64) -> Nearest {
        Nearest { policy, limit, remaining, resets_at: self.at.plus(Duration::from_millis(reset_in)) }
    }

    /// How everything that binds stands: the burst, the windows, the quotas.
    pub fn standing(&self) -> Vec<Nearest> {
        let limits = self.resolved.limits.as_ref();
        let burst = limits.and_then(|limits| limits.bucket).zip(self.decision.burst);
        let burst = burst.map(|(bucket, (left, whole_in))| self.told(BURST, bucket.size, left, whole_in));
        let windows = limits.map(|limits| limits.windows.as_slice()).unwrap_or_default().iter().zip(self.decision.left);
        let windows = windows.map(|(window, (left, reset_in))| self.told(window.name, window.quota, left, reset_in));
        let quotas = self.resolved.quotas.iter().zip(self.decision.quotas);
        let quotas = quotas.filter_map(|(quota, left)| left.map(|(left, reset_in)| self.told(quota.name, quota.limit, left, reset_in)));
        burst.into_iter().chain(windows).chain(quotas).collect()
    }

    /// The policy that refused a use of `cost`, and in how many ms there is room; a policy that never has room for so much before all others,
    /// and then no time. None: it was admitted.
    pub(crate) fn refusal(&self, cost: u64) -> Option<(Nearest, Option<u64>)> {
        let (policy, wait) = self.decision.refused?;
        let standing = self.standing();
        let named = standing.iter().find(|one| one.policy == policy);
        let too_small = named.into_iter().chain(&standing).find(|one| one.limit < cost);
        let told = too_small.or(named).copied().unwrap_or_else(|| self.nearest());
        Some((told, self.can_hold(cost).then_some(wait)))
    }

    /// Whether every policy holds as much as `cost` when it is whole. What costs more never passes, however long it waits.
    fn can_hold(&self, cost: u64) -> bool {
        let limits = self.resolved.limits.as_ref();
        let windows = limits.map(|limits| limits.windows.as_slice()).unwrap_or_default();
        let bucket = limits.and_then(|limits| limits.bucket);
        windows.iter().all(|window| cost <= window.quota)
            && bucket.is_none_or(|bucket| cost <= bucket.size)
            && self.resolved.quotas.iter().all(|quota| cost <= quota.limit)
    }

    /// How each quota that binds stands.
    pub fn quotas(&self) -> Vec<QuotaUse> {
        let one = |(quota, left): (&super::quotas::Quota, Option<(u64, u64)>)| {
            let (remaining, reset_in) = left?;
            let resets_at = self.at.plus(Duration::from_millis(reset_in));
            Some(QuotaUse { policy: quota.name, limit: quota.limit, remaining, resets_at })
        };
        self.resolved.quotas.iter().zip(self.decision.quotas).filter_map(one).collect()
    }

    /// The refusal: 429 `rate_limited` or `quota_exceeded`, with the policy and when to come back. None: it was admitted.
    pub fn error(&self) -> Option<Error> {
        let (policy, wait) = self.decision.refused?;
        metrics::counter!("tradewind_rate_limited", "policy" => policy).increment(1);
        let (code, text) = match policy {
            "month" => {
                ("quota_exceeded", "The month's quota of this client is used up. Retry-After says when it is whole again.".to_owned())
            }
            "key-month" => {
                ("quota_exceeded", "The month's quota of this key is used up. Retry-After says when it is whole again.".to_owned())
            }
            BURST => ("rate_limited", "Too many requests at once: the burst is used up. Try again when Retry-After says.".to_owned()),
            _ => ("rate_limited", format!("Too many requests: the limit per {policy} is reached. Try again when Retry-After says.")),
        };
        Some(Error::new(Kind::RateLimited, code, text).retry_after(Duration::from_millis(wait)).violating(policy))
    }
}
