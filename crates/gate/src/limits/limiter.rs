//! Counters of windows by credential, in process.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lease::Lease;
use super::{BURST, Cells, Decision, Limits, MAX_WINDOWS};

/// Locks that the credentials share.
const SHARDS: usize = 64;
/// Credentials of a shard at most. Past it, idle ones are dropped, and if that is not enough, those that have used the least of their limits:
/// what is forgotten of them is at most the share that they had used.
const MOST: usize = 2048;
/// How many of a full shard are kept, so that making room is seldom.
const KEPT: usize = MOST / 4 * 3;

/// The counters of one credential.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) cells: [Cells; MAX_WINDOWS],
    /// The lengths of the windows that the cells are of, in ms.
    spans: [u64; MAX_WINDOWS],
    /// When the bucket is whole again, in ns.
    pub(super) arrival: u64,
    /// When its longest window will have forgotten everything.
    idle_at: u64,
    /// The share of its limits that it had used when it was last counted: that of the window nearest to its end.
    share: f32,
    /// What this node has set aside at the server that counts for all; none until it is first asked.
    pub(super) lease: Option<Box<Lease>>,
}

type Shard = HashMap<Arc<str>, State>;

/// Counts requests by credential. The limits themselves are given with each request, so that a change binds at once.
pub struct Limiter {
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Limiter {
    /// Decides about a request of `cost` by the credential `id` at `now` (ms), and counts it if it is admitted.
    pub fn decide(&self, id: &Arc<str>, limits: &Limits, now: u64, cost: u64) -> Decision {
        self.with(id, limits, now, |state| state.decide(limits, now, cost))
    }

    /// Runs `change` on the counters of `id`, under their lock.
    pub(super) fn with<T>(&self, id: &Arc<str>, limits: &Limits, now: u64, change: impl FnOnce(&mut State) -> T) -> T {
        let mut states = self.shard(id);
        if states.len() >= MOST && !states.contains_key(id) {
            make_room(&mut states, now);
        }
        let state = match states.get_mut(id) {
            Some(state) => state,
            None => states.entry(Arc::clone(id)).or_default(),
        };
        state.align(limits);
        change(state)
    }

    /// The same, if there are any.
    pub(super) fn with_known<T>(&self, id: &Arc<str>, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.shard(id).get_mut(id).map(change)
    }

    fn shard(&self, id: &Arc<str>) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the idle, then those that lose the least by it.
fn make_room(states: &mut Shard, now: u64) {
    states.retain(|_, state| state.idle_at > now);
    let Some(surplus) = states.len().checked_sub(KEPT).filter(|surplus| *surplus > 0) else { return };
    let mut shares: Vec<f32> = states.values().map(|state| state.share).collect();
    let (_, bound, _) = shares.select_nth_unstable_by(surplus - 1, f32::total_cmp);
    let bound = *bound;
    let mut dropped = 0;
    states.retain(|_, state| {
        let drops = state.share <= bound && dropped < surplus;
        dropped += usize::from(drops);
        !drops
    });
}

impl State {
    /// Gives each window the cells of its length: limits may have changed since the last request.
    fn align(&mut self, limits: &Limits) {
        if limits.windows.iter().zip(self.spans).all(|(window, span)| window.millis == span) {
            return;
        }
        let (spans, cells) = (self.spans, self.cells);
        (self.spans, self.cells, self.lease) = ([0; MAX_WINDOWS], [Cells::default(); MAX_WINDOWS], None);
        for (at, window) in limits.windows.iter().enumerate() {
            self.spans[at] = window.millis;
            if let Some(before) = spans.iter().position(|span| *span == window.millis) {
                self.cells[at] = cells[before];
            }
        }
    }

    /// Decides by what is counted here alone.
    pub(super) fn decide(&mut self, limits: &Limits, now: u64, cost: u64) -> Decision {
        let refused = self.refusal(limits, now, cost);
        if refused.is_none() {
            self.cells.iter_mut().take(limits.windows.len()).for_each(|cells| cells.count(cost));
            self.arrival = limits.bucket.and_then(|bucket| bucket.room(self.arrival, now, cost).ok()).unwrap_or(self.arrival);
            self.used(limits, now);
        }
        self.tell(limits, now, 0, refused)
    }

    /// Which policy has no room for `cost`, and the longest wait of those.
    pub(super) fn refusal(&mut self, limits: &Limits, now: u64, cost: u64) -> Option<(&'static str, u64)> {
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
        if let Some(Err(wait)) = limits.bucket.map(|bucket| bucket.room(self.arrival, now, cost)) {
            refuse(BURST, wait);
        }
        refused
    }

    /// Notes that it was used: it is kept until its longest window has forgotten that.
    pub(super) fn used(&mut self, limits: &Limits, now: u64) {
        let longest = limits.windows.iter().map(|window| window.millis).max().unwrap_or(0);
        self.idle_at = now.saturating_add(longest.saturating_mul(2));
        self.share = limits.windows.iter().zip(&self.cells).map(|(window, cells)| cells.share(*window)).fold(0.0, f32::max);
    }

    /// What there is to tell, where `aside` requests are counted already and not yet used.
    pub(super) fn tell(&mut self, limits: &Limits, now: u64, aside: u64, refused: Option<(&'static str, u64)>) -> Decision {
        let burst = limits.bucket.map(|bucket| {
            let left = bucket.left(self.arrival, now).saturating_add(aside).min(bucket.size);
            (left, bucket.full_in(self.arrival, now))
        });
        let mut left = [(0, 0); MAX_WINDOWS];
        for ((window, cells), slot) in limits.windows.iter().zip(&mut self.cells).zip(&mut left) {
            let (count, end) = cells.left(*window, now);
            *slot = (count.saturating_add(aside).min(window.quota), end);
        }
        Decision { admitted: refused.is_none(), left, burst, refused, ..Decision::default() }
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
    fn a_dear_request_takes_its_cost_or_nothing() {
        let (limiter, limits, id) = (Limiter::default(), basic(), Arc::from("key"));
        let now = 3_600_000 * 1000;
        let dear = limiter.decide(&id, &limits, now, 7);
        assert_eq!((dear.admitted, dear.burst.unwrap().0, dear.left[0].0, dear.left[1].0), (true, 3, 53, 93));
        let refused = limiter.decide(&id, &limits, now, 4);
        assert_eq!((refused.refused, refused.burst.unwrap().0, refused.left[0].0), (Some(("burst", 1000)), 3, 53));
        assert!(limiter.decide(&id, &limits, now, 3).admitted, "what is left may be used by a cheaper one");
    }

    #[test]
    fn limits_of_other_lengths_begin_anew_and_those_that_stay_go_on() {
        let (limiter, id) = (Limiter::default(), Arc::from("key"));
        let of = |windows: &[(&'static str, u64, u64)]| {
            Limits::new(windows.iter().map(|&(name, quota, millis)| Window { name, quota, millis }).collect(), None).unwrap()
        };
        let (both, hour) = (of(&[("minute", 60, 60_000), ("hour", 100, 3_600_000)]), of(&[("hour", 100, 3_600_000)]));
        let (second, now) = (of(&[("custom", 5, 1000)]), 3_600_000 * 1000);
        limiter.decide(&id, &both, now, 40);
        assert_eq!(limiter.decide(&id, &hour, now, 1).left[0].0, 59, "the hour goes on");
        assert_eq!(limiter.decide(&id, &second, now, 5).left[0].0, 0);
        assert_eq!(limiter.decide(&id, &both, now + 61_000, 1).left.map(|(left, _)| left)[..2], [59, 99], "and nothing is stuck");
    }

    #[test]
    fn a_great_many_credentials_take_bounded_memory_and_the_busy_ones_are_remembered() {
        let (limiter, limits, busy) = (Limiter::default(), basic(), Arc::from("busy"));
        let now = 3_600_000 * 1000;
        for second in 0..50 {
            limiter.decide(&busy, &limits, now + second * 1200, 1);
        }
        for n in 0..3 * SHARDS * MOST {
            limiter.decide(&Arc::from(n.to_string()), &limits, now + 60_000, 1);
        }
        let kept: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!((SHARDS * KEPT / 2..=SHARDS * MOST).contains(&kept), "{kept} are kept");
        let decision = limiter.decide(&busy, &limits, now + 60_000, 1);
        assert_eq!(decision.left[1].0, 49, "what it has used is not forgotten");
    }

    #[test]
    fn idle_credentials_are_forgotten_first() {
        let (limiter, limits) = (Limiter::default(), basic());
        let (now, later) = (3_600_000 * 1000, 3_600_000 * 1003);
        let ids = |name: &str| (0..SHARDS * MOST / 2).map(|n| Arc::from(format!("{name} {n}"))).collect::<Vec<Arc<str>>>();
        let (early, late) = (ids("early"), ids("late"));
        for id in &early {
            limiter.decide(id, &limits, now, 9);
        }
        for id in late.iter().chain(&ids("last")) {
            limiter.decide(id, &limits, later, 1);
        }
        let known = |ids: &[Arc<str>]| ids.iter().filter(|id| limiter.with_known(id, |_| ()).is_some()).count();
        let (early, late) = (known(&early), known(&late));
        assert!(late > 9 * early, "{early} of before are kept, and {late} of after");
    }
}
