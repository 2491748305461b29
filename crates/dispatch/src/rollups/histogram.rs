//! Durations in buckets of growing width. Percentiles come from it within the width of a bucket.

/// Upper bounds of the buckets in milliseconds, each inclusive; the last bucket has none.
const BOUNDS: [u64; 23] = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000];

/// How many buckets there are: the columns `h00` to `h23`.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

/// Counts by duration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    pub(super) counts: [u64; BUCKETS],
    /// The longest duration.
    pub(super) slowest_ms: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, duration_ms: u64) {
        self.counts[BOUNDS.partition_point(|bound| *bound < duration_ms)] += 1;
        self.slowest_ms = self.slowest_ms.max(duration_ms);
    }

    /// Takes another one's counts in.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.counts.iter_mut().zip(other.counts) {
            *own += more;
        }
        self.slowest_ms = self.slowest_ms.max(other.slowest_ms);
    }

    /// The duration within which this share (0 to 100) of the counted ones stayed, in milliseconds; interpolated inside its bucket and never
    /// above the longest. None: nothing was counted.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.counts.iter().sum();
        // The rank from 1: the smallest that has `percent` of all at or below it.
        let rank = (all * percent.min(100)).div_ceil(100).max(1);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            if below + count >= rank && *count > 0 {
                let low = bucket.checked_sub(1).map_or(0, |before| BOUNDS[before]);
                let high = BOUNDS.get(bucket).copied().unwrap_or(self.slowest_ms).min(self.slowest_ms).max(low);
                return Some(low + ((high - low) * (rank - below)).div_ceil(*count));
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_of_nothing_and_of_one() {
        assert_eq!(Histogram::default().percentile(50), None);
        let mut one = Histogram::default();
        one.add(0);
        assert_eq!((one.percentile(0), one.percentile(99)), (Some(0), Some(0)));
        one.add(60_000);
        assert_eq!(one.percentile(100), Some(60_000));
    }

    proptest! {
        /// Never above the true percentile's bucket, never below it.
        #[test]
        fn percentiles_stay_in_the_true_ones_bucket(mut durations in prop::collection::vec(0_u64..40_000, 1..200), percent in 1_u64..=100) {
            let mut histogram = Histogram::default();
            durations.iter().for_each(|ms| histogram.add(*ms));
            durations.sort_unstable();
            let rank = (durations.len() as u64 * percent).div_ceil(100).max(1);
            let truth = durations[usize::try_from(rank - 1).unwrap()];
            let bucket = |ms: u64| BOUNDS.partition_point(|bound| *bound < ms);
            prop_assert_eq!(bucket(histogram.percentile(percent).unwrap()), bucket(truth));
        }

        #[test]
        fn merging_is_adding(a in prop::collection::vec(0_u64..40_000, 0..50), b in prop::collection::vec(0_u64..40_000, 0..50)) {
            let of = |all: &[u64]| { let mut h = Histogram::default(); all.iter().for_each(|ms| h.add(*ms)); h };
            let mut merged = of(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }
    }
}
