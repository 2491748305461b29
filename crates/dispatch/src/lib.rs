//! The delivery engine: an event that is published becomes one pending delivery per destination, and every delivery ends with a reason.
//!
//! # The way of a delivery
//!
//! 1. [`Dispatch::enqueue`] writes the deliveries inside the publishing transaction, owned by this node, and hands them to memory after the
//!    commit: no second query on the happy path. Those that will likely end at once stand together on a slip, one row for all; the others
//!    have a row each in the queue.
//! 2. Each destination has a *lane* in memory: a bounded ready set, a concurrency that grows on success and halves on trouble, a rate, a
//!    circuit breaker. Lanes share the total of attempts under way by turns, so a dead or slow destination delays no other.
//! 3. An attempt goes through the destination's [`Channel`]. Its outcome is written with others of the same moment: out of the queue into
//!    `deliveries`, or put off in the queue. The attempt log follows; what was committed but not yet logged stands in `attempt_journal`.
//! 4. What does not fit into memory, and what waits for its time, is in the database only and is loaded when its time comes.
//!
//! # Tables
//!
//! `destinations`, `destination_seqs`, `queue`, `slips`, `deliveries` (daily), `replayed`, `attempt_journal`, `signing_keys`,
//! `signature_acceptances`; in the logs `attempts` (daily) and
//! `attempt_rollups` (daily).
//!
//! # Invariants
//!
//! * A delivery whose enqueueing was committed is attempted until it has ended; after a crash perhaps once more (at least once).
//! * Rows belong to a node and its epoch. An outcome of another epoch changes nothing.
//! * Memory is bounded by destinations, not by deliveries.
//! * Time comes from [`kernel::Ambient`]; the runtime's timers only decide when to look again.

pub mod acceptances;
pub mod backlog;
mod channel;
mod config;
pub mod deliveries;
pub mod destinations;
mod engine;
mod enqueue;
pub mod http;
mod lifecycle;
mod look_ups;
mod observer;
mod policy;
pub mod purge;
mod queue;
mod rehearsal;
pub mod retention;
pub mod rollups;
mod send_now;
pub mod signing_keys;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, DeliveryId, DestinationId, Event, EventId, Result, TenantId};
use store::{Home, Migration, Node, Store, Tx};

pub use channel::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, MAX_BODY, Prepared, SECRET_FIELDS};
pub use config::Options;
pub use destinations::{Destination, State};
pub use enqueue::NewDelivery;
pub use lifecycle::DispatchLifecycle;
pub use observer::{Ended, Observer, Turn};
pub use policy::{MAX_RETRIES, MAX_WAIT_MS, NATIVE_SCHEDULE_MS, Policy};
pub use rehearsal::{Rehearsal, RehearsedFault, RehearsedRequest};

/// This crate's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "dispatch", version: 1, home: Home::State, sql: include_str!("../migrations/0001_dispatch.sql") },
    Migration { feature: "dispatch", version: 2, home: Home::Logs, sql: include_str!("../migrations/0002_attempts.sql") },
    Migration { feature: "dispatch", version: 3, home: Home::State, sql: include_str!("../migrations/0003_ledger.sql") },
    Migration { feature: "dispatch", version: 4, home: Home::Logs, sql: include_str!("../migrations/0004_rollups.sql") },
    Migration { feature: "dispatch", version: 5, home: Home::State, sql: include_str!("../migrations/0005_lanes.sql") },
    Migration { feature: "dispatch", version: 6, home: Home::State, sql: include_str!("../migrations/0006_signing.sql") },
    Migration { feature: "dispatch", version: 7, home: Home::State, sql: include_str!("../migrations/0007_slips.sql") },
    Migration { feature: "dispatch", version: 8, home: Home::State, sql: include_str!("../migrations/0008_endings.sql") },
    Migration { feature: "dispatch", version: 9, home: Home::Logs, sql: include_str!("../migrations/0009_rollups_by_hour.sql") },
];

/// The delivery engine of one node. Dropping it without [`Dispatch::drain`] is like a crash: nothing is lost, others take over.
pub struct Dispatch {
    engine: Arc<engine::Engine>,
}

impl Dispatch {
    /// Registers a node. Nothing is attempted before [`Dispatch::start`]. Must be called on a tokio runtime.
    pub async fn new(store: Store, ambient: Ambient, channels: Vec<Arc<dyn Channel>>, options: Options) -> Result<Arc<Self>> {
        let channels: HashMap<&'static str, Arc<dyn Channel>> = channels.into_iter().map(|c| (c.name(), c)).collect();
        let node = store.write(engine::scope(), Node::register).await?;
        let engine = engine::Engine::new(store, ambient, channels, options, node);
        engine::Engine::listen(&engine);
        deliveries::follow_cancellations(&engine);
        Ok(Arc::new(Self { engine }))
    }

    /// Takes over what dead nodes left and starts working.
    pub async fn start(&self) -> Result<()> {
        engine::Engine::start(&self.engine).await
    }

    /// Makes pending deliveries inside the transaction that publishes the events; they are attempted right after its commit. Rows of items
    /// for one destination get contiguous sequence numbers, in the order of `items`.
    pub fn enqueue(&self, tx: &mut Tx<'_>, items: &[NewDelivery]) -> Result<()> {
        enqueue::enqueue(&self.engine, tx, items, enqueue::Route::Slip)
    }

    /// The channel of this name. Error: 422 `unknown_channel`.
    pub fn channel(&self, name: &str) -> Result<Arc<dyn Channel>> {
        self.engine.channel(name)
    }

    /// Makes one attempt at once, outside of queue and limits, and records it as a finished delivery (reason `test`) with its attempt.
    ///
    /// Errors: 404 when the tenant has no such destination.
    pub async fn send_now(&self, tenant: TenantId, destination: DestinationId, event: Arc<Event>) -> Result<(DeliveryId, AttemptReport)> {
        send_now::send_now(&self.engine, tenant, destination, event).await
    }

    /// Queues a delivery again, at once and with its whole retry schedule before it: a finished one comes back, a pending one does not wait
    /// for its time. To be called in the operation's own transaction (`store.answer`), which is audited here.
    ///
    /// Errors: 404, 409 `webhook_disabled`.
    pub fn retry(&self, tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<deliveries::Delivery> {
        deliveries::retry(&self.engine, tx, tenant, id)
    }

    /// Queues those of `rows` again that are finished and whose destination takes deliveries: a step of a run, which is audited as a whole.
    /// Answers how many; a row that is pending already stays as it is.
    pub fn requeue(&self, tx: &mut Tx<'_>, tenant: TenantId, rows: &[deliveries::Delivery]) -> Result<u64> {
        deliveries::requeue(&self.engine, tx, tenant, rows)
    }

    /// Makes deliveries for pairs of event and destination that never had one ([`deliveries::attempted`] tells); answers how many. Of two that
    /// ask at once, one makes it. All items must be the tenant's.
    pub fn replay(&self, tx: &mut Tx<'_>, tenant: TenantId, items: &[NewDelivery]) -> Result<u64> {
        deliveries::replay(&self.engine, tx, tenant, items)
    }

    /// Ends a pending delivery as skipped, reason `cancelled`; audited. Errors: 404, 409 `delivery_ended`.
    pub fn cancel(&self, tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<deliveries::Delivery> {
        deliveries::cancel(tx, tenant, id)
    }

    /// Ends every pending delivery of an event likewise; answers how many there were.
    pub fn cancel_event(&self, tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<u64> {
        deliveries::cancel_event(tx, tenant, event)
    }

    /// How many deliveries of this destination are due and not ended, but at most `most`: what a run looks at before it adds more.
    pub fn waiting(&self, tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId, most: u32) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM queue WHERE owner = ?1 AND destination_id = ?2 AND due_at <= ?3 AND tenant_id = ?4 \
                   LIMIT ?5) AS found";
        let params = [self.node().id.into(), destination.into(), tx.now().into(), tenant.into(), most.into()];
        tx.query_one(sql, &params, |row| row.get(0))
    }

    /// Sets who is told of ends and turns, inside the transactions that bring them. Once, at wiring; a second call changes nothing.
    pub fn set_observer(&self, observer: Arc<dyn Observer>) {
        if self.engine.observer.set(observer).is_err() {
            debug_assert!(false, "the observer is set once");
        }
    }

    /// Begins no further attempt, waits for those under way at most until the deadline, writes what they brought, and says goodbye, so that
    /// others may take over at once.
    pub async fn drain(&self, deadline: Duration) {
        engine::Engine::drain(&self.engine, deadline).await;
    }

    /// Looks at everything now: for tests that have moved a clock.
    pub fn poke(&self) {
        self.engine.poke();
    }

    /// What is in memory now.
    pub fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }

    /// The node and epoch that this engine works as at present.
    pub fn node(&self) -> Node {
        self.engine.node()
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.engine.abandon();
    }
}

/// What an engine holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Destinations with a lane.
    pub lanes: usize,
    /// Deliveries that wait for their attempt.
    pub ready: usize,
    /// The most of them for one destination.
    pub ready_most: usize,
    /// Attempts under way.
    pub in_flight: usize,
    /// Outcomes that are not yet committed and logged.
    pub unsettled: usize,
    /// Lanes whose breaker is open.
    pub broken: usize,
}
