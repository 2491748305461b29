//! Jobs that the host does: for each the host is called, with the signature of Standard Webhooks.
//!
//! A 200 carries the result. A 202 says that the work goes on: the host then speaks by the workers' routes, with the lease's token, which the
//! call carries. While a call is under way this server keeps the lease; a server that stops hands it back.

mod call;
mod signing;

use std::sync::Arc;
use std::time::Duration;

use blueprint::model::JobExecutor;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::Jobs;
use crate::catalogue::Kind;
use crate::leases::Ask;

pub use signing::{installation_secret, signing_secret};

/// Calls of one type at once from one server.
const AT_ONCE: usize = 16;
/// One look for work; then another.
const LOOK: Duration = Duration::from_secs(60);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// One task for each type.
pub(crate) fn start(jobs: &Arc<Jobs>) {
    for kind in jobs.catalogue.all().filter(|kind| matches!(kind.declared.executor, JobExecutor::Http { .. })) {
        tokio::spawn(work(Arc::clone(jobs), Arc::clone(kind)));
    }
}

/// Ends when the jobs are closed: before that they are in use.
async fn work(jobs: Arc<Jobs>, kind: Arc<Kind>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let ask = Ask { kinds: vec![Arc::clone(&kind)], tenant: None, most: 1, worker: Some("http".to_owned()), lease: Some(call::LEASE) };
    while !jobs.closed.is_cancelled() {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match jobs.wait_for(&ask, Instant::now() + LOOK).await {
            Ok(mut leased) => {
                let Some(lease) = leased.pop() else { continue };
                let (jobs, kind) = (Arc::clone(&jobs), Arc::clone(&kind));
                jobs.calls.clone().spawn(async move {
                    call::call(&jobs, &kind, lease).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(?error, "jobs for the host could not be leased; it is tried again");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = jobs.closed.cancelled() => {}
                }
            }
        }
    }
}
