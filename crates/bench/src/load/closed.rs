//! The closed loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Budget, Caller, Outcome, Tally, Traffic};
use crate::clock;

/// Runs `callers` senders against `to`, each on its own keep-alive connection, until the budget is spent.
pub async fn closed<T: Traffic>(to: SocketAddr, callers: usize, budget: Budget, traffic: Arc<T>) -> Outcome {
    let (tally, next) = (Arc::new(Tally::default()), Arc::new(AtomicU64::new(0)));
    let start = clock::now_ns();
    let tasks: Vec<_> = (0..callers.max(1))
        .map(|_| {
            let (tally, next, traffic) = (tally.clone(), next.clone(), traffic.clone());
            tokio::spawn(async move {
                let mut caller = Caller::new(to);
                while clock::since(start) < budget.time {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= budget.count {
                        break;
                    }
                    caller.send(&*traffic, &tally, index, clock::now_ns()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a sender does not panic");
    }
    Arc::into_inner(tally).expect("every sender has ended").outcome(start)
}
