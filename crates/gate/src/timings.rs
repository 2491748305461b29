//! What the gate counts of every request, cheaply: a few additions to counters that nobody locks. Phases are measured of one request in
//! sixteen, chosen by its random id, since reading the clock costs as much as a phase.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use kernel::RequestId;
use kernel::id::TypedId as _;

use crate::admit::Seen;

/// Upper bounds of the buckets in microseconds; one more has what is above.
pub const BOUNDS_US: [u64; 14] = [2, 5, 10, 20, 50, 100, 250, 500, 1000, 5000, 25_000, 100_000, 1_000_000, 10_000_000];
const BUCKETS: usize = BOUNDS_US.len() + 1;
/// One request in so many is measured by phase.
const SAMPLE: u128 = 16;

/// A part of a request's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From the request's head to its answer's; of every request.
    Whole,
    /// Who calls: the credential.
    Authenticate,
    /// How often: allow-lists, limits, the tenant acted on.
    Limit,
    /// The operation, with its body and its answer.
    Operation,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Authenticate, Self::Limit, Self::Operation];

    /// As metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Authenticate => "authenticate",
            Self::Limit => "limit",
            Self::Operation => "operation",
        }
    }
}

#[derive(Default)]
struct Cells {
    buckets: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
}

/// See the module.
#[derive(Default)]
pub struct Timings {
    phases: [Cells; 4],
    /// By the hundreds of the status, from 1xx.
    statuses: [AtomicU64; 5],
    /// Credentials that were in memory, and those that were not.
    looked_up: [AtomicU64; 2],
}

/// What was measured of a phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseTimes {
    /// Which.
    pub phase: Phase,
    /// How many fell into each bucket; the last is above every bound.
    pub counts: [u64; BUCKETS],
    /// Seconds in all.
    pub seconds: f64,
}

impl Timings {
    pub(crate) fn record(&self, phase: Phase, took: Duration) {
        let cells = &self.phases[phase as usize];
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        cells.buckets[BOUNDS_US.partition_point(|bound| *bound < micros)].fetch_add(1, Ordering::Relaxed);
        cells.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Where the phases of this request begin, if they are measured.
    pub(crate) fn begin(id: RequestId, begun: Instant) -> Option<Instant> {
        id.uuid().as_u128().is_multiple_of(SAMPLE).then_some(begun)
    }

    /// A phase has ended, and the next begins.
    pub(crate) fn lap(&self, seen: &mut Seen, phase: Phase) {
        if let Some(last) = seen.lap {
            let now = Instant::now();
            self.record(phase, now.duration_since(last));
            seen.lap = Some(now);
        }
    }

    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        self.record(Phase::Whole, took);
        let class = usize::from(status.as_u16() / 100).saturating_sub(1).min(self.statuses.len() - 1);
        self.statuses[class].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn looked_up(&self, hit: bool) {
        self.looked_up[usize::from(!hit)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was measured of each phase.
    #[allow(clippy::cast_precision_loss, reason = "a metric need not be exact beyond 2^52 ns")]
    pub fn phases(&self) -> [PhaseTimes; 4] {
        Phase::ALL.map(|phase| {
            let cells = &self.phases[phase as usize];
            let counts = std::array::from_fn(|i| cells.buckets[i].load(Ordering::Relaxed));
            PhaseTimes { phase, counts, seconds: cells.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9 }
        })
    }

    /// Requests by the class of their status.
    pub fn statuses(&self) -> [(&'static str, u64); 5] {
        const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        std::array::from_fn(|i| (CLASSES[i], self.statuses[i].load(Ordering::Relaxed)))
    }

    /// Credentials that were in memory, and those that had to be read.
    pub fn credentials(&self) -> (u64, u64) {
        (self.looked_up[0].load(Ordering::Relaxed), self.looked_up[1].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_falls_into_its_bucket() {
        let timings = Timings::default();
        for micros in [0, 2, 3, 1000, 1001, 20_000_000] {
            timings.record(Phase::Limit, Duration::from_micros(micros));
        }
        let [_, _, limit, _] = timings.phases();
        assert_eq!(limit.phase, Phase::Limit);
        let found: Vec<u64> = limit.counts.to_vec();
        assert_eq!(found, [2, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1]);
        assert!((limit.seconds - 20.002_006).abs() < 1e-9, "{}", limit.seconds);
    }

    #[test]
    fn statuses_are_counted_by_class() {
        let timings = Timings::default();
        for status in [200, 204, 304, 404, 503, 599] {
            timings.answered(StatusCode::from_u16(status).unwrap(), Duration::ZERO);
        }
        assert_eq!(timings.statuses(), [("1xx", 0), ("2xx", 2), ("3xx", 1), ("4xx", 1), ("5xx", 2)]);
    }
}
