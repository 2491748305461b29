//! Limits: every window of a credential at once, the burst beside them, and the month's quotas.
//!
//! * The minute, hour and day are sliding windows of two cells: what was counted in the cell before weighs in by the share of it that
//!   still lies inside the window ([`window`]).
//! * A `burst` is a GCRA bucket beside the minute: it holds that many requests and refills evenly over the minute. Without one, the
//!   whole minute's quota may come at once.
//! * A quota is what may be used up between one refill and the next, of a key or of all keys of a client ([`quotas`]). It survives a
//!   restart.
//!
//! A request is admitted only if every window, the bucket and every quota have room for its cost, and is then counted in all; a refused one
//! is counted in none.
//!
//! [`Counters`] decides. Alone it counts in this process. With Redis ([`shared`]) the windows hold across nodes: a node sets some requests
//! aside at the server ahead of time, and answers from these; only what does not fit asks the server. If the server is away, each node goes
//! on from what it last knew.

mod charge;
mod counters;
mod lease;
mod limiter;
mod quotas;
mod resolve;
mod shared;
pub(crate) mod strangers;
mod window;

use http::HeaderValue;

pub use charge::{Charge, Nearest};
pub use counters::{CounterOptions, Counters};
pub use limiter::Limiter;
pub use quotas::{Lifecycle as QuotaLifecycle, QuotaUse};
pub(crate) use quotas::{Period, Quota};
pub(crate) use resolve::Resolved;
pub use shared::SharedState;
pub(crate) use window::Cells;
pub use window::{Bucket, Window};

/// The name of the bucket's policy.
pub(crate) const BURST: &str = "burst";
/// Most windows that limits have.
pub(crate) const MAX_WINDOWS: usize = 3;
/// Most quotas that bind one credential: its own and its client's.
pub(crate) const MAX_QUOTAS: usize = 2;

/// The windows that bind a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One to three windows, shortest first.
    pub windows: Vec<Window>,
    /// The bucket beside the minute.
    pub bucket: Option<Bucket>,
    /// `RateLimit-Policy` for them.
    pub policy: HeaderValue,
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
        let policy = HeaderValue::from_str(&policies.join(", ")).ok()?;
        Some(Self { windows, bucket, policy })
    }
}

/// What the limiter says about one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may pass.
    pub admitted: bool,
    /// What is left in each window (and when its present cell ends, in ms from now), in the order of [`Limits::windows`].
    pub left: [(u64, u64); MAX_WINDOWS],
    /// What is left of the burst, and in how many ms it is whole again; none where there is no burst.
    pub burst: Option<(u64, u64)>,
    /// What is left of each quota, and in how many ms it is whole again.
    pub quotas: [Option<(u64, u64)>; MAX_QUOTAS],
    /// If refused: which policy has no room, and in how many milliseconds it may have.
    pub refused: Option<(&'static str, u64)>,
}
