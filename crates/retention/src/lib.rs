//! Letting go of data.
//!
//! Purpose: payloads, what receivers answered, attempts, metadata and request logs each have a lifetime ([`Lifetimes`]); a tenant can have
//! shorter ones. What is old goes in small steps ([`sweep`](Retention::sweep)); on PostgreSQL whole days are dropped. Before anything of a day
//! goes, the day can be exported ([`Sink`]). One event, or all events of one subject, can be expunged at any time. Of a tenant or a client that was
//! deleted, what is left goes in the same small steps.
//!
//! Tables: `retention_marks`, `expunges`, `purges`. The rows that go are other features'; each has the statements for its own.
//!
//! Invariants:
//! * What is pending keeps its event and its payload, however old they are.
//! * A step holds the writer for a few milliseconds; every step can be repeated; a restart goes on where the last one was.
//! * Nothing of a day that could not be exported goes.
//! * What an expunged event said stands neither in the audit log nor in the run's own row once that has ended.

mod exports;
mod expunges;
mod lifetimes;
mod marks;
mod purges;
mod routes;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use dispatch::Dispatch;
use events::Forget;
use kernel::{Ambient, Result, Scope, TenantId, Timestamp};
use store::{Home, Lease, Migration, Store, Tx};
use tokio::sync::Notify;

pub use exports::{Directory, Piece, Sink};
pub use expunges::{Expunge, ExpungeInput, Progress};
pub use lifetimes::{Lifetime, Lifetimes};
pub use purges::{RetentionLifecycle, Step};
pub use sweep::Swept;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "retention", version: 1, home: Home::State, sql: include_str!("../migrations/0001_retention.sql") },
    Migration { feature: "retention", version: 2, home: Home::State, sql: include_str!("../migrations/0002_purges.sql") },
    Migration { feature: "retention", version: 3, home: Home::State, sql: include_str!("../migrations/0003_leases.sql") },
];

/// One server at a time does it; each step renews the lease.
const fn lease(name: &'static str) -> Lease {
    Lease { name, held_for: Duration::from_secs(300) }
}

/// How often old data is looked for.
const EVERY: Duration = Duration::from_secs(600);

/// Letting go of data.
pub struct Retention {
    store: Store,
    ambient: Ambient,
    dispatch: Arc<Dispatch>,
    lifetimes: Lifetimes,
    sink: Option<Arc<dyn Sink>>,
    elsewhere: Elsewhere,
    /// There are expunges or purges to go on with.
    wanted: Notify,
}

/// What features that stand beside this one, or that not every product has, do about their own rows. The binary wires it.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// Calls that inbound sources keep: looked through for a subject.
    pub calls: Option<Forget>,
    /// Records: looked through for a subject, if that is asked for.
    pub records: Option<Forget>,
    /// What goes step by step when a tenant is gone.
    pub purge: Vec<Step>,
    /// What goes at the end of the lifetime of metadata.
    pub old: Vec<Old>,
}

/// A feature's step: removes some of a tenant's rows from before a time, and answers how many; 0: nothing is left.
pub type Old = fn(&mut Tx<'_>, TenantId, Timestamp, u32) -> Result<u64>;

fn scope() -> Scope {
    Scope::system("retention")
}

impl Retention {
    /// Does nothing by itself before [`Retention::start`].
    pub fn new(store: Store, ambient: Ambient, dispatch: Arc<Dispatch>, lifetimes: Lifetimes, sink: Option<Arc<dyn Sink>>) -> Arc<Self> {
        Self::with(store, ambient, dispatch, lifetimes, sink, Elsewhere::default())
    }

    /// [`Retention::new`] with what other features do about their rows.
    pub fn with(
        store: Store,
        ambient: Ambient,
        dispatch: Arc<Dispatch>,
        lifetimes: Lifetimes,
        sink: Option<Arc<dyn Sink>>,
        elsewhere: Elsewhere,
    ) -> Arc<Self> {
        Arc::new(Self { store, ambient, dispatch, lifetimes, sink, elsewhere, wanted: Notify::new() })
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
                if let Err(error) = retention.purge_all().await {
                    tracing::warn!(?error, "what is left of a deleted tenant could not go; it is tried again in ten minutes");
                }
                // Either way it is time to look. A holder of ours would keep it alive, so it waits for ten minutes at most.
                drop(tokio::time::timeout(EVERY, retention.wanted.notified()).await);
            }
        });
    }
}
