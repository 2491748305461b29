//! How a destination is treated: when to try again, how long to wait, how fast to go.

use std::time::Duration;

use kernel::{Ambient, Timestamp};
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Waits before each retry when nothing else is said: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, 24 h, 24 h.
pub const NATIVE_SCHEDULE_MS: [u64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR, 24 * HOUR, 24 * HOUR];
/// Longest wait between two attempts.
pub const MAX_WAIT_MS: u64 = 24 * HOUR;
/// Most retries that a policy can ask for.
pub const MAX_RETRIES: u32 = 30;

/// How a destination is treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Waits before each retry in milliseconds; as many retries as entries. The first attempt does not count.
    pub schedule_ms: Vec<u64>,
    /// Time-out of one attempt in milliseconds.
    pub timeout_ms: u64,
    /// Most attempts in a second, if limited.
    #[serde(default)]
    pub rate_per_second: Option<u32>,
    /// Deliveries with the same ordering key (those without one count as one more key) go one after another, in the order of their sequence
    /// numbers; a retry holds up what follows it with that key and nothing else. Applies to what is published from now on.
    #[serde(default)]
    pub ordered: bool,
    /// Most attempts at once.
    pub max_concurrency: u32,
    /// How long after a run through the schedule began it is still worth delivering, in milliseconds: then the delivery ends as skipped, reason
    /// `expired`, when its next attempt is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after_ms: Option<u64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            schedule_ms: NATIVE_SCHEDULE_MS.to_vec(),
            timeout_ms: 30 * SECOND,
            rate_per_second: None,
            ordered: false,
            max_concurrency: 64,
            expires_after_ms: None,
        }
    }
}

impl Policy {
    /// From a webhook's `retryConfig`: the first retry after `retry_delay_s`, each further wait `multiplier` times the last, at most a day
    /// each and at most [`MAX_RETRIES`].
    #[must_use]
    pub fn from_retry_config(max_retries: u32, retry_delay_s: f64, multiplier: f64, timeout_s: f64) -> Self {
        let mut wait = (retry_delay_s * 1000.0).max(0.0);
        let mut schedule_ms = Vec::new();
        for _ in 0..max_retries.min(MAX_RETRIES) {
            schedule_ms.push(whole(wait).min(MAX_WAIT_MS));
            wait = (wait * multiplier.max(1.0)).min(1e12);
        }
        Self { schedule_ms, timeout_ms: whole(timeout_s * 1000.0).clamp(100, 10 * MINUTE), ..Self::default() }
    }

    /// The wait after failed attempt number `tried` (from 1) of a run, jittered by up to a tenth either way so that what failed together does
    /// not come back together. None: there is no further retry.
    pub(crate) fn wait_after(&self, tried: u32, ambient: &Ambient) -> Option<Duration> {
        let wait = *self.schedule_ms.get(usize::try_from(tried).ok()?.checked_sub(1)?)?;
        let jittered = wait.saturating_mul(9_000 + ambient.below(2_001)) / 10_000;
        Some(Duration::from_millis(jittered))
    }

    /// Whether what began at `first_at` is worth nothing any more at `now`.
    pub(crate) fn is_expired(&self, first_at: Timestamp, now: Timestamp) -> bool {
        self.expires_after_ms.is_some_and(|ms| now >= first_at.plus(Duration::from_millis(ms)))
    }

    /// How long after its start a run has had every retry, with some grace for attempts that were late.
    pub(crate) fn whole_run(&self) -> Duration {
        let sum = self.schedule_ms.iter().fold(0_u64, |sum, wait| sum.saturating_add(*wait));
        Duration::from_millis(sum.saturating_add(sum / 10).saturating_add(self.timeout_ms).saturating_add(MINUTE))
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of whole milliseconds")]
fn whole(ms: f64) -> u64 {
    if ms.is_finite() { ms.clamp(0.0, 1e12) as u64 } else { MAX_WAIT_MS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_config_grows_and_is_bounded() {
        let policy = Policy::from_retry_config(3, 60.0, 2.0, 30.0);
        assert_eq!((policy.schedule_ms, policy.timeout_ms), (vec![60_000, 120_000, 240_000], 30_000));
        let wild = Policy::from_retry_config(u32::MAX, 1e300, f64::INFINITY, f64::NAN);
        assert_eq!(wild.schedule_ms, vec![MAX_WAIT_MS; MAX_RETRIES as usize]);
        assert!(Policy::from_retry_config(0, 1.0, 1.0, 1.0).schedule_ms.is_empty());
    }

    #[test]
    fn waits_follow_the_schedule_within_a_tenth() {
        let (policy, ambient) = (Policy::default(), Ambient::system());
        for (tried, wait) in (1..).zip(NATIVE_SCHEDULE_MS) {
            for _ in 0..50 {
                let jittered = u64::try_from(policy.wait_after(tried, &ambient).unwrap().as_millis()).unwrap();
                assert!(jittered >= wait / 10 * 9 && jittered <= wait / 10 * 11, "{jittered} for {wait}");
            }
        }
        assert_eq!(policy.wait_after(10, &ambient), None);
        assert_eq!(policy.wait_after(0, &ambient), None);
    }
}
