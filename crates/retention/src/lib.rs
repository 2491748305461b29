//! Letting go of data.
//!
//! Purpose: payloads, what receivers answered, attempts, metadata and request logs each have a lifetime ([`Lifetimes`]); a tenant can have
//! shorter ones. What is old goes in small steps ([`sweep`](Retention::sweep)); on PostgreSQL whole days are dropped. Before anything of a day
//! goes, the day can be exported ([`Sink`]). One event, or all events of one subject, can be expunged at any time.
//!
//! Tables: `retention_lease`, `retention_marks`, `expunges`. The rows that go are other features'; each has the statements for its own.
//!
//! Invariants:
//! * What is pending keeps its event and its payload, however old they are.
//! * A step holds the writer for a few milliseconds; every step can be repeated; a restart goes on where the last one was.
//! * Nothing of a day that could not be exported goes.
//! * What an expunged event said stands neither in the audit log nor in the run's own row once that has ended.

mod exports;
mod expunges;
mod lease;
mod lifetimes;
mod marks;
mod routes;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use dispatch::Dispatch;
use kernel::{Ambient, NodeId, Scope};
use store::{Home, Migration, Store};
use tokio::sync::Notify;

pub use exports::{Directory, Piece, Sink};
pub use expunges::{Expunge, ExpungeInput, Progress};
pub use lifetimes::{Lifetime, Lifetimes};
pub use sweep::Swept;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "retention", version: 1, home: Home::State, sql: include_str!("../migrations/0001_retention.sql") }];

/// How often old data is looked for.
const EVERY: Duration = Duration::from_secs(600);

/// Letting go of data.
pub struct Retention {
    store: Store,
    ambient: Ambient,
    dispatch: Arc<Dispatch>,
    lifetimes: Lifetimes,
    sink: Option<Arc<dyn Sink>>,
    holder: NodeId,
    /// There are expunges to go on with.
    wanted: Notify,
}

fn scope() -> Scope {
    Scope::system("retention")
}

impl Retention {
    /// Does nothing by itself before [`Retention::start`].
    pub fn new(store: Store, ambient: Ambient, dispatch: Arc<Dispatch>, lifetimes: Lifetimes, sink: Option<Arc<dyn Sink>>) -> Arc<Self> {
        let holder = ambient.id();
        Arc::new(Self { store, ambient, dispatch, lifetimes, sink, holder, wanted: Notify::new() })
    }

    /// Looks for old data every ten minutes, and goes on with expunges at once, for as long as anybody else holds it. Must be called on a
    /// tokio runtime.
    pub fn start(self: &Arc<Self>) {
        let retention = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let Some(retention) = retention.upgrade() else { return };
                if let Err(error) = retention.sweep().await {
                    tracing::warn!(?error, "old data could not be let go of; it is tried again in ten minutes");
                }
                if let Err(error) = retention.expunge_all().await {
                    tracing::warn!(?error, "an expunge could not go on; it is tried again in ten minutes");
                }
                // Either way it is time to look. A holder of ours would keep it alive, so it waits for ten minutes at most.
                drop(tokio::time::timeout(EVERY, retention.wanted.notified()).await);
            }
        });
    }
}
