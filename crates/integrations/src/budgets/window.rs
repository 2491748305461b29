//! One of a vendor's windows, as this server sees it.

use std::time::Duration;

use connectors::{Allowance, BudgetNews};
use kernel::Timestamp;

/// A window of a budget.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) name: String,
    /// How much there is in a window; 0: not known.
    pub(super) allowed: u64,
    /// How long a window is, in ms; 0: not known.
    pub(super) length_ms: i64,
    /// What this server has taken and not spent.
    pub(super) left: u64,
    /// When what it has taken is void.
    pub(super) ends: Timestamp,
    /// Nothing before this, whatever the row says: the vendor refused.
    pub(super) closed_until: Timestamp,
    /// What the vendor said last, until it is in the row.
    pub(super) told: Option<Told>,
}

/// What a vendor said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) remaining: u64,
    pub(super) resets: Option<Timestamp>,
    pub(super) at: Timestamp,
}

impl Window {
    pub(super) fn new(allowance: &Allowance) -> Self {
        let length_ms = i64::from(allowance.seconds) * 1000;
        Self { allowed: allowance.limit, length_ms, ..Self::unknown(allowance.window) }
    }

    /// One of which only its name is known.
    pub(super) fn unknown(name: &str) -> Self {
        let zero = Timestamp::from_millis(0);
        Self { name: name.to_owned(), allowed: 0, length_ms: 0, left: 0, ends: zero, closed_until: zero, told: None }
    }

    /// Whether it is counted here, beside what the vendor refuses.
    pub(super) fn is_counted(&self) -> bool {
        self.allowed > 0 && self.length_ms > 0
    }

    /// Whether `cost` can be spent from memory.
    pub(super) fn has(&self, cost: u64, now: Timestamp) -> bool {
        now >= self.closed_until && (!self.is_counted() || (now < self.ends && self.left >= cost))
    }

    pub(super) fn spend(&mut self, cost: u64) {
        self.left = self.left.saturating_sub(cost);
    }

    /// How much to take in advance.
    pub(super) fn part(&self, cost: u64) -> u64 {
        (self.allowed / 20).max(cost).min(self.allowed.max(cost))
    }

    /// Takes in what the vendor said.
    pub(super) fn hear(&mut self, news: &BudgetNews, now: Timestamp) {
        if let Some(limit) = news.limit.filter(|limit| *limit > 0) {
            self.allowed = limit;
        }
        let Some(remaining) = news.remaining else { return };
        self.left = self.left.min(remaining);
        self.told = Some(Told { remaining, resets: news.resets, at: now });
        if remaining == 0 {
            let usual = Duration::from_millis(u64::try_from(self.length_ms).unwrap_or(0).clamp(1000, 10_000));
            self.closed_until = news.resets.unwrap_or_else(|| now.plus(usual)).max(self.closed_until);
        }
    }

    /// What the vendor said last, if its window is not over since.
    pub(super) fn heard(&self, now: Timestamp) -> Option<Told> {
        self.told.filter(|told| told.resets.is_none_or(|resets| resets > now))
    }

    /// What the row must say at least: the vendor counts what we do not see, such as other programs of the same account.
    pub(super) fn used_at_least(&self, now: Timestamp) -> Option<u64> {
        self.heard(now).map(|told| self.allowed.saturating_sub(told.remaining))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window::new(&Allowance { window: "daily", limit: 1000, seconds: 86_400 })
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn what_the_vendor_says_holds_at_once() {
        let mut window = window();
        (window.left, window.ends) = (50, at(1000));
        assert!(window.has(50, at(999)) && !window.has(51, at(999)) && !window.has(1, at(1000)));
        window.hear(&BudgetNews { window: "daily", limit: Some(500), remaining: Some(7), resets: None }, at(10));
        assert_eq!((window.left, window.allowed, window.used_at_least(at(10))), (7, 500, Some(493)));
        window.hear(&BudgetNews { window: "daily", limit: None, remaining: Some(0), resets: Some(at(700)) }, at(20));
        assert!(!window.has(1, at(699)), "closed until the vendor says");
        assert_eq!(window.used_at_least(at(699)), Some(500));
        assert_eq!(window.used_at_least(at(700)), None, "its window is over");
    }

    #[test]
    fn a_part_is_a_twentieth_and_never_less_than_the_cost() {
        assert_eq!((window().part(1), window().part(80), Window::unknown("x").part(3)), (50, 80, 3));
    }

    #[test]
    fn a_window_of_which_nothing_is_known_only_closes() {
        let mut window = Window::unknown("burst");
        assert!(window.has(1_000_000, at(0)));
        window.hear(&BudgetNews { window: "burst", limit: None, remaining: Some(0), resets: None }, at(0));
        assert!(!window.has(1, at(999)) && window.has(1, at(1000)));
    }
}
