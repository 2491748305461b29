//! The monotonic clock, as nanoseconds since this process first asked. The only place of the crate that reads it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Nanoseconds since the first call in this process; never goes back. The first call answers 1, so that 0 can mean "never".
pub fn now_ns() -> u64 {
    let since = Instant::now().saturating_duration_since(*ORIGIN.get_or_init(Instant::now));
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
}

/// How long since `earlier`, a value of [`now_ns`].
pub fn since(earlier: u64) -> Duration {
    Duration::from_nanos(now_ns().saturating_sub(earlier))
}
