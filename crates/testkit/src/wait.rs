//! Waiting for a condition, up to a deadline. Tests never sleep and hope.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// Asks `condition` until it gives a value, and gives that; `None` after `limit`.
/// Blocks the thread: for threads of their own and for starting processes.
pub fn poll<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Awaits `condition` until it gives a value, and gives that. Panics after `limit`, naming `what` was waited for.
#[cfg(feature = "harness")]
pub async fn until<T, F>(what: &str, limit: Duration, mut condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain for: {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}
