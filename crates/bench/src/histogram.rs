//! Latencies in logarithmic buckets, in the manner of HdrHistogram: constant memory, lock-free, under 0.8 % of error.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets of one power of two. 128 of them make a bucket at most 1/128 of its values wide.
const STEPS: u64 = 128;
/// `log2(STEPS)`.
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Enough for every `u64`: exact buckets below [`STEPS`], then [`STEPS`] for each of the remaining powers of two.
const BUCKETS: usize = ((64 - STEP_BITS + 1) as usize) * STEPS as usize;

/// A histogram of nanoseconds that many threads may fill.
pub struct Histogram {
    buckets: Box<[AtomicU64]>,
    max: AtomicU64,
}

impl Histogram {
    /// An empty one (about 60 kB).
    pub fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), max: AtomicU64::new(0) }
    }

    /// Adds one value.
    pub fn record(&self, ns: u64) {
        self.buckets[bucket_of(ns)].fetch_add(1, Ordering::Relaxed);
        self.max.fetch_max(ns, Ordering::Relaxed);
    }

    /// How many values it holds.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// The greatest value, exactly.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max.load(Ordering::Relaxed))
    }

    /// The value that a share `q` (0 to 1) of all values does not exceed, rounded up to its bucket's end; zero when empty.
    pub fn quantile(&self, q: f64) -> Duration {
        let total = self.count();
        #[allow(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "counts stay far below 2^52"
        )]
        let rank = ((total as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += bucket.load(Ordering::Relaxed);
            if seen >= rank {
                return Duration::from_nanos(end_of(index)).min(self.max());
            }
        }
        Duration::ZERO
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Histogram({} values, p50 {:?}, p99 {:?}, max {:?})", self.count(), self.quantile(0.5), self.quantile(0.99), self.max())
    }
}

fn bucket_of(value: u64) -> usize {
    let index = if value < STEPS {
        value
    } else {
        let shift = 63 - value.leading_zeros() - STEP_BITS;
        // The leading one of `value >> shift` is STEPS itself; the rest says which step of this power of two.
        u64::from(shift + 1) * STEPS + ((value >> shift) - STEPS)
    };
    usize::try_from(index).expect("an index below BUCKETS fits")
}

fn end_of(index: usize) -> u64 {
    let index = index as u64;
    let (power, step) = (index / STEPS, index % STEPS);
    if power == 0 {
        return step;
    }
    let shift = power - 1;
    ((u128::from(STEPS + step + 1) << shift) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_holds_its_value_within_its_error(value in any::<u64>()) {
            let index = bucket_of(value);
            prop_assert!(index < BUCKETS);
            prop_assert!(end_of(index) >= value);
            prop_assert!(index == 0 || end_of(index - 1) < value);
            prop_assert!(end_of(index) - value <= value / STEPS);
        }

        #[test]
        fn quantiles_agree_with_sorting(mut values in prop::collection::vec(0u64..10_000_000_000, 1..500), q in 0.0f64..=1.0) {
            let histogram = Histogram::new();
            values.iter().for_each(|value| histogram.record(*value));
            values.sort_unstable();
            let rank = ((values.len() as f64 * q).ceil() as usize).clamp(1, values.len());
            let (exact, told) = (values[rank - 1], histogram.quantile(q).as_nanos() as u64);
            prop_assert!(told >= exact && told - exact <= exact / STEPS, "{} vs {}", told, exact);
        }
    }

    #[test]
    fn empty_is_zero() {
        assert_eq!(Histogram::new().quantile(0.99), Duration::ZERO);
    }
}
