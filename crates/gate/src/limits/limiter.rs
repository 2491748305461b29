//! Counters by credential, in process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::{BURST, Cells, Decision, Limits, MAX_WINDOWS};

/// Locks that the credentials share.
const SHARDS: usize = 64;
/// Credentials of a shard past which idle ones are dropped.
const SWEEP_AT: usize = 4096;

#[derive(Clone, Debug, Default)]
struct State {
    cells: [Cells; MAX_WINDOWS],
    arrival: u64,
    /// When its longest window will have forgotten everything.
    idle_at: u64,
}

/// Counts requests by credential. The limits themselves are given with each request, so that a change binds at once.
pub struct Limiter {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<Arc<str>, State>>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Limiter {
    /// Decides about a request of `cost` by the credential `id` at `now` (ms), and counts it if it is admitted.
    pub fn decide(&self, id: &Arc<str>, limits: &Limits, now: u64, cost: u64) -> Decision {
        let shard = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or(0);
        let mut states = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= SWEEP_AT && !states.contains_key(id) {
            states.retain(|_, state| state.idle_at > now);
        }
        let state = match states.get_mut(id) {
            Some(state) => state,
            None => states.entry(Arc::clone(id)).or_default(),
        };
        state.decide(limits, now, cost)
    }
}

impl State {
    fn decide(&mut self, limits: &Limits, now: u64, cost: u64) -> Decision {
        let mut refused: Option<(&'static str, u64)> = None;
        let mut refuse = |name, wait| {
            if refused.is_none_or(|(_, known)| wait > known) {
                refused = Some((name, wait));
            }
        };
        for (window, cells) in limits.windows.iter().zip(&mut self.cells) {
            if let Err(wait) = cells.room(*window, now, cost) {
                refuse(window.name, wait);
            }
        }
        let arrival = limits.bucket.map(|bucket| bucket.room(self.arrival, now, cost));
        if let Some(Err(wait)) = arrival {
            refuse(BURST, wait);
        }
        if refused.is_none() {
            self.cells.iter_mut().take(limits.windows.len()).for_each(|cells| cells.count(cost));
            self.arrival = arrival.and_then(Result::ok).unwrap_or(self.arrival);
            let longest = limits.windows.iter().map(|window| window.millis).max().unwrap_or(0);
            self.idle_at = now.saturating_add(longest.saturating_mul(2));
        }
        let burst = limits.bucket.map(|bucket| (bucket.left(self.arrival, now), bucket.full_in(self.arrival, now)));
        Decision { admitted: refused.is_none(), left: self.left(limits, now), burst, refused }
    }

    fn left(&mut self, limits: &Limits, now: u64) -> [(u64, u64); MAX_WINDOWS] {
        let mut left = [(0, 0); MAX_WINDOWS];
        for ((window, cells), slot) in limits.windows.iter().zip(&mut self.cells).zip(&mut left) {
            *slot = cells.left(*window, now);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Window;

    fn basic() -> Limits {
        let window = |name, quota, millis| Window { name, quota, millis };
        let windows = vec![window("minute", 60, 60_000), window("hour", 100, 3_600_000)];
        Limits::new(windows, Some(10)).unwrap()
    }

    #[test]
    fn all_windows_hold_at_once() {
        let (limiter, limits, id) = (Limiter::default(), basic(), Arc::from("key"));
        let start = 3_600_000 * 1000;
        let mut admitted = 0;
        // At this pace the bucket is never empty and the minute never full: the hour's 100 bind first.
        for step in 0..200 {
            let decision = limiter.decide(&id, &limits, start + step * 1200, 1);
            admitted += u64::from(decision.admitted);
            if !decision.admitted {
                assert_eq!(decision.refused.map(|(name, _)| name), Some("hour"));
            }
        }
        assert_eq!(admitted, 100);
    }

    #[test]
    fn a_burst_binds_before_the_minute_and_refused_requests_are_not_counted() {
        let (limiter, limits, id) = (Limiter::default(), basic(), Arc::from("key"));
        let now = 3_600_000 * 1000;
        let admitted = (0..50).filter(|_| limiter.decide(&id, &limits, now, 1).admitted).count();
        assert_eq!(admitted, 10);
        let decision = limiter.decide(&id, &limits, now, 1);
        assert_eq!(decision.refused, Some(("burst", 1000)));
        assert_eq!(decision.burst, Some((0, 10_000)));
        assert_eq!((decision.left[0].0, decision.left[1].0), (50, 90), "40 refused requests are not counted");
        assert!(limiter.decide(&Arc::from("other"), &limits, now, 1).admitted, "another credential has its own counters");
    }

    #[test]
    fn idle_credentials_are_forgotten() {
        let (limiter, limits) = (Limiter::default(), basic());
        let now = 3_600_000 * 1000;
        let many = SHARDS * SWEEP_AT;
        for n in 0..many {
            limiter.decide(&Arc::from(n.to_string()), &limits, now, 1);
        }
        for n in 0..many {
            limiter.decide(&Arc::from(format!("later {n}")), &limits, now + 3 * 3_600_000, 1);
        }
        let kept: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= many + many / 4, "{kept} of {} are kept", 2 * many);
    }
}
