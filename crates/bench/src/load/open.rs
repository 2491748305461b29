//! The open loop, free of coordinated omission: latency counts from when a request was due, not from when a busy sender got to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Budget, Caller, Outcome, Tally, Traffic};
use crate::clock;

/// Sends `per_second` requests a second to `to`, over at most `callers` connections, until the budget is spent. When all callers
/// wait for answers, requests queue and their waiting counts as latency.
pub async fn open<T: Traffic>(to: SocketAddr, callers: usize, per_second: u64, budget: Budget, traffic: Arc<T>) -> Outcome {
    let (tally, next, due_now) = (Arc::new(Tally::default()), Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let step = 1_000_000_000 / per_second.max(1);
    let within = u64::try_from(budget.time.as_nanos()).unwrap_or(u64::MAX) / step.max(1);
    let count = budget.count.min(within);
    let start = clock::now_ns();
    let tasks: Vec<_> = (0..callers.max(1))
        .map(|_| {
            let (tally, next, due_now, traffic) = (tally.clone(), next.clone(), due_now.clone(), traffic.clone());
            tokio::spawn(async move {
                let mut caller = Caller::new(to);
                // The pacer closes the semaphore only after everything is due; permits that are left are still taken by index.
                loop {
                    if let Ok(permit) = due_now.acquire().await {
                        permit.forget();
                    }
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    caller.send(&*traffic, &tally, index, start + index * step).await;
                }
            })
        })
        .collect();
    let pacer = tokio::task::spawn_blocking(move || pace(start, step, count, &due_now));
    pacer.await.expect("the pacer does not panic");
    for task in tasks {
        task.await.expect("a sender does not panic");
    }
    Arc::into_inner(tally).expect("every sender has ended").outcome(start)
}

/// Releases one request at each due time. A thread of its own, because its sleep is far finer than the runtime's millisecond timer.
#[allow(clippy::disallowed_methods, reason = "the sleep is what this thread is for: it waits for a moment, not for a condition")]
fn pace(start: u64, step: u64, count: u64, due_now: &Semaphore) {
    for index in 0..count {
        let wait = (start + index * step).saturating_sub(clock::now_ns());
        if wait > 0 {
            std::thread::sleep(Duration::from_nanos(wait));
        }
        due_now.add_permits(1);
    }
    due_now.close();
}
