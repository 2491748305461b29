//! Jobs: work that takes longer than a request.
//!
//! Purpose: a job is of a type that the blueprint declares; it is queued, handed out under a lease, tracked, retried and kept with its result.
//! A worker asks for jobs and waits (a long poll, woken by change notices), tells its progress, and completes or fails them; or the host is
//! called for each job. A job can begin later (`runAt`), and again and again (schedules).
//!
//! # The way of a job
//!
//! 1. `enqueue.rs` writes the row: *ready*; or *waiting* for its time; or *held*, where its tenant has as many under way or ready as it may
//!    (`lanes.rs`).
//! 2. `leases/lease.rs` hands out those that are ready, the lowest rank first: the time at which the job could begin, less a minute for each
//!    point of priority. So the urgent overtake, and nobody waits for ever.
//! 3. The lease is named by a token of an epoch. Whatever comes with another token changes nothing: 409. A worker that is silent for longer
//!    than the lease has lost it (`keeper/`), and the job is ready again.
//! 4. `ending.rs` ends a job, once: the row, the record that the result changes, the event and the job's own webhook, in one transaction.
//!
//! Tables: `jobs`, `job_lanes`, `job_webhooks`, `job_schedules`.
//!
//! Events: those that the job's type declares for its end, or else `job.completed` and `job.failed`.
//!
//! Change notices: topic `job.ready`, key the type: some became ready.
//!
//! Invariants:
//! * A job that was accepted ends: completed, failed or cancelled, exactly once. Its end, its event and its record's change commit together.
//! * Exactly one lease of a job is good at any time; a lease that was lost can end nothing.
//! * Progress never goes back, whoever works.
//! * Workers' acts (leasing, telling progress, ending) write no audit row: the job is the record of them, as an event is of its publication.

mod authority;
mod catalogue;
mod ending;
mod enqueue;
mod executor;
mod input;
mod jobs;
mod keeper;
mod lanes;
mod leases;
mod lifecycle;
mod mirror;
mod objections;
mod routes;
mod schedules;
mod wakes;
mod webhooks;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ::blueprint::Blueprint;
use dispatch::Dispatch;
use events::Events;
use kernel::id::TypedId as _;
use kernel::{Ambient, JobId, Scope, Secret};
use records::Records;
use store::{Home, Migration, Store};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::outbound::Client;

use catalogue::Catalogue;
use keeper::Keeper;
use wakes::Wakes;

pub use enqueue::Started;
pub use executor::{installation_secret, signing_secret};
pub use input::{MAX_RESULT, NewJob};
pub use jobs::{Job, JobError, JobFilter, State, Status};
pub use leases::{Completion, Failure, Lease, LeaseRequest, Leased, Pulse};
pub use lifecycle::delete_old;
pub use objections::objections;
pub use schedules::{JobSchedule, NewSchedule, SchedulePatch};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "jobs", version: 1, home: Home::State, sql: include_str!("../migrations/0001_jobs.sql") }];

/// The topic of change notices about jobs that became ready; the key is their type.
pub const TOPIC: &str = "job.ready";

/// What jobs stand on.
pub struct Around {
    /// What ends of jobs are told to.
    pub events: Arc<Events>,
    /// What results change.
    pub records: Arc<Records>,
    /// What carries the webhooks that jobs ask for.
    pub dispatch: Arc<Dispatch>,
    /// What the host is called by.
    pub outbound: Client,
    /// What the secrets of these calls follow from: [`installation_secret`].
    pub secret: Secret<Vec<u8>>,
}

/// Jobs, their workers and their schedules.
pub struct Jobs {
    store: Store,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    catalogue: Catalogue,
    around: Around,
    wakes: Arc<Wakes>,
    keeper: Arc<Keeper>,
    closed: CancellationToken,
    /// Calls of hosts that are under way.
    calls: TaskTracker,
    started: OnceLock<()>,
    last_id: Mutex<Option<JobId>>,
}

/// Work across tenants.
pub(crate) fn scope() -> Scope {
    Scope::system(PART)
}

/// Our name in the audit log.
pub(crate) const PART: &str = "jobs";

impl Jobs {
    /// Follows changes from now on; nothing happens by itself before [`Jobs::start`]. The binary puts it among the lifecycles.
    ///
    /// Error: internal, if a schema does not compile (a [`Blueprint`] that was parsed has none such).
    pub fn new(store: Store, ambient: Ambient, blueprint: &Arc<Blueprint>, around: Around) -> kernel::Result<Arc<Self>> {
        let wakes = Wakes::new();
        let weak = Arc::downgrade(&wakes);
        store.on_change(Box::new(move |change| {
            if let Some(wakes) = weak.upgrade() {
                wakes.judge(change);
            }
        }));
        Ok(Arc::new(Self {
            catalogue: Catalogue::new(blueprint)?,
            blueprint: Arc::clone(blueprint),
            keeper: Arc::default(),
            closed: CancellationToken::new(),
            calls: TaskTracker::new(),
            started: OnceLock::new(),
            last_id: Mutex::new(None),
            store,
            ambient,
            around,
            wakes,
        }))
    }

    /// Begins to look after leases, deadlines and schedules, and to call hosts. Must be called on a tokio runtime. A second call changes nothing.
    pub fn start(self: &Arc<Self>) {
        if self.started.set(()).is_ok() {
            keeper::start(self);
            executor::start(self);
        }
    }

    /// A new id that sorts after every id that this process made in the same millisecond (RFC 9562 §6.2, method 2): who came first goes first, also
    /// in a burst.
    pub(crate) fn next_id(&self) -> JobId {
        let fresh: JobId = self.ambient.id();
        let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        let millisecond = |id: JobId| id.uuid().as_u128() >> 80;
        let id = match *last {
            Some(before) if millisecond(before) == millisecond(fresh) && fresh <= before => {
                JobId::from_uuid(uuid::Uuid::from_u128(before.uuid().as_u128() + 1))
            }
            _ => fresh,
        };
        *last = Some(id);
        id
    }

    /// Ends polls that wait, and begins no further calls of hosts: for a server that stops. Workers come back.
    pub fn close(&self) {
        self.closed.cancel();
    }
}

impl Jobs {
    /// Waits until the jobs whose hosts were being called have been handed back, at most so long. After [`Jobs::close`].
    pub async fn drain(&self, deadline: Duration) {
        self.calls.close();
        if tokio::time::timeout(deadline, self.calls.wait()).await.is_err() {
            tracing::warn!("some jobs could not be handed back; their leases will run out");
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}
