//! Rate limits: every window of a tier at once, in integer arithmetic.
//!
//! * The minute, hour and day are sliding windows of two cells: what was counted in the cell before weighs in by the share of it that
//!   still lies inside the window.
//! * A `burst` is a GCRA bucket beside the minute: it holds that many requests and refills evenly over the minute. Without one, the
//!   whole minute's quota may come at once.
//!
//! A request is admitted only if every window and the bucket have room, and is then counted in all; a refused one is counted in none.
//! Counters live in this process and start anew with it.

mod known;
mod limiter;
mod window;

use access::LimitOverride;
use blueprint::model::Tier;

pub(crate) use known::Known;
pub use limiter::Limiter;
pub(crate) use window::Cells;
pub use window::{Bucket, Window};

/// Milliseconds in the three windows of a tier.
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The name of the bucket's policy.
pub(crate) const BURST: &str = "burst";
/// Most windows that limits have.
pub(crate) const MAX_WINDOWS: usize = 3;

/// The limits of one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One to three windows, shortest first.
    pub windows: Vec<Window>,
    /// The bucket beside the minute.
    pub bucket: Option<Bucket>,
    /// `RateLimit-Policy` for them.
    pub policy: String,
}

impl Limits {
    /// From windows and the size of a burst in the first one. None if nothing binds.
    pub fn new(windows: Vec<Window>, burst: Option<u64>) -> Option<Self> {
        let first = *windows.first()?;
        let bucket = burst.filter(|burst| *burst < first.quota).map(|size| Bucket { size, refill: first });
        let policy = |name: &str, quota: u64, millis: u64| format!("\"{name}\";q={quota};w={}", millis.div_ceil(1000));
        let of_burst = bucket.map(|bucket| policy(BURST, bucket.size, bucket.fills_in()));
        let policies: Vec<String> =
            of_burst.into_iter().chain(windows.iter().map(|window| policy(window.name, window.quota, window.millis))).collect();
        Some(Self { windows, bucket, policy: policies.join(", ") })
    }

    /// A tier's, changed by a credential's own.
    pub fn of(tier: Option<&Tier>, own: Option<&LimitOverride>) -> Option<Self> {
        let tiered = |minute: Option<u64>, hour: Option<u64>, day: Option<u64>, burst: Option<u64>| {
            let window = |name, quota: Option<u64>, millis| quota.map(|quota| Window { name, quota, millis });
            let windows = [window("minute", minute, MINUTE), window("hour", hour, HOUR), window("day", day, DAY)];
            // A burst belongs to the minute: where no minute is limited there is nothing to refill it from.
            Self::new(windows.into_iter().flatten().collect(), burst.filter(|_| minute.is_some()))
        };
        let wide = |n: Option<u32>| n.map(u64::from);
        let base = tier.map_or((None, None, None, None), |t| (wide(t.per_minute), wide(t.per_hour), wide(t.per_day), wide(t.burst)));
        match own {
            None => tiered(base.0, base.1, base.2, base.3),
            // A number is the requests per minute, and the tier's burst no longer fits it.
            Some(LimitOverride::PerMinute(n)) => tiered(Some(u64::from(*n)), base.1, base.2, None),
            Some(LimitOverride::Windows { per_minute, per_hour, per_day, burst }) => {
                tiered(wide(*per_minute).or(base.0), wide(*per_hour).or(base.1), wide(*per_day).or(base.2), wide(*burst).or(base.3))
            }
            Some(LimitOverride::Window { requests, window }) => {
                Self::new(vec![Window { name: "custom", quota: u64::from(*requests), millis: *window }], None)
            }
        }
    }
}

/// What the limiter says about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may pass.
    pub admitted: bool,
    /// What is left in each window (and when its present cell ends, in ms from now), in the order of [`Limits::windows`].
    pub left: [(u64, u64); MAX_WINDOWS],
    /// What is left of the burst, and in how many ms it is whole again; none where there is no burst.
    pub burst: Option<(u64, u64)>,
    /// If refused: which policy has no room, and in how many milliseconds it may have.
    pub refused: Option<(&'static str, u64)>,
}
