//! Durations in buckets of growing width. Two of them add up bucket by bucket, so counts of hours and servers become one; percentiles come
//! from it within the width of a bucket.

use std::fmt;
use std::marker::PhantomData;

/// How many buckets there are: the columns `h00` to `h23` of a table that keeps one.
pub const BUCKETS: usize = 24;

/// Where the buckets end.
pub trait Scale {
    /// Upper bounds, each inclusive and higher than the one before; the last bucket has none.
    const BOUNDS: [u64; BUCKETS - 1];
}

/// For calls over the network, in milliseconds: 1 ms to 10 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milliseconds;

impl Scale for Milliseconds {
    const BOUNDS: [u64; BUCKETS - 1] =
        [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000];
}

/// For requests that we answer, in microseconds: 50 µs to 10 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Microseconds;

impl Scale for Microseconds {
    const BOUNDS: [u64; BUCKETS - 1] = [
        50, 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000, 3_000_000, 10_000_000,
    ];
}

/// Counts by duration, in the unit of its scale.
pub struct Histogram<S> {
    /// How many fell into each bucket.
    pub counts: [u64; BUCKETS],
    /// The longest duration.
    pub slowest: u64,
    scale: PhantomData<S>,
}

impl<S: Scale> Histogram<S> {
    /// Of counts that were kept.
    pub fn of(counts: [u64; BUCKETS], slowest: u64) -> Self {
        Self { counts, slowest, scale: PhantomData }
    }

    /// Counts one duration.
    pub fn add(&mut self, duration: u64) {
        self.counts[S::BOUNDS.partition_point(|bound| *bound < duration)] += 1;
        self.slowest = self.slowest.max(duration);
    }

    /// Takes another one's counts in.
    pub fn merge(&mut self, other: &Self) {
        for (own, more) in self.counts.iter_mut().zip(other.counts) {
            *own += more;
        }
        self.slowest = self.slowest.max(other.slowest);
    }

    /// The duration within which this share (0 to 100) of the counted ones stayed; interpolated inside its bucket and never above the
    /// longest. None: nothing was counted.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.counts.iter().sum();
        // The rank from 1: the smallest that has `percent` of all at or below it.
        let rank = (all * percent.min(100)).div_ceil(100).max(1);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            if below + count >= rank && *count > 0 {
                let low = bucket.checked_sub(1).map_or(0, |before| S::BOUNDS[before]);
                let high = S::BOUNDS.get(bucket).copied().unwrap_or(self.slowest).min(self.slowest).max(low);
                return Some(low + ((high - low) * (rank - below)).div_ceil(*count));
            }
            below += count;
        }
        None
    }
}

// By hand: derived ones would ask the scale for the same.
impl<S> Default for Histogram<S> {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], slowest: 0, scale: PhantomData }
    }
}

impl<S> Clone for Histogram<S> {
    fn clone(&self) -> Self {
        Self { counts: self.counts, slowest: self.slowest, scale: PhantomData }
    }
}

impl<S> PartialEq for Histogram<S> {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts && self.slowest == other.slowest
    }
}

impl<S> Eq for Histogram<S> {}

impl<S> fmt::Debug for Histogram<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} slowest {}", self.counts, self.slowest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_grow() {
        assert!(Milliseconds::BOUNDS.is_sorted_by(|a, b| a < b));
        assert!(Microseconds::BOUNDS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn percentiles_of_nothing_and_of_one() {
        assert_eq!(Histogram::<Milliseconds>::default().percentile(50), None);
        let mut one = Histogram::<Milliseconds>::default();
        one.add(0);
        assert_eq!((one.percentile(0), one.percentile(99)), (Some(0), Some(0)));
        one.add(60_000);
        assert_eq!(one.percentile(100), Some(60_000));
    }

    fn of<S: Scale>(all: &[u64]) -> Histogram<S> {
        let mut histogram = Histogram::default();
        all.iter().for_each(|duration| histogram.add(*duration));
        histogram
    }

    /// Never above the true percentile's bucket, never below it.
    fn stays_in_the_bucket<S: Scale>(durations: &mut [u64], percent: u64) -> bool {
        let histogram = of::<S>(durations);
        durations.sort_unstable();
        let rank = (durations.len() as u64 * percent).div_ceil(100).max(1);
        let truth = durations[usize::try_from(rank - 1).unwrap()];
        let bucket = |duration: u64| S::BOUNDS.partition_point(|bound| *bound < duration);
        bucket(histogram.percentile(percent).unwrap()) == bucket(truth)
    }

    proptest! {
        #[test]
        fn percentiles_stay_in_the_true_ones_bucket(mut durations in prop::collection::vec(0_u64..40_000, 1..200), percent in 1_u64..=100) {
            prop_assert!(stays_in_the_bucket::<Milliseconds>(&mut durations, percent));
            prop_assert!(stays_in_the_bucket::<Microseconds>(&mut durations, percent));
        }

        #[test]
        fn merging_is_adding(a in prop::collection::vec(0_u64..40_000, 0..50), b in prop::collection::vec(0_u64..40_000, 0..50)) {
            let mut merged = of::<Microseconds>(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of::<Microseconds>(&[a, b].concat()));
        }
    }
}
