//! The durable event log.
//!
//! Purpose: an event is accepted once, byte for byte, with the deliveries that follow from it, in one transaction; then it is answered.
//! The blueprint declares the types; `data` must satisfy the type's schema when it is published from outside.
//!
//! Readers follow the log by `groups` (see there), with a place that is kept for named consumers, or as a stream.
//!
//! Tables: `events` (by day), `event_ids`, `event_groups` (by day), `event_clock`, `event_consumers`, `quarantined_events`,
//! `quarantine_fill`.
//!
//! Events of its own: none; every event passes through here.
//!
//! Invariants:
//! * No answer before the commit. The event and its deliveries (planned by the [`Planner`]) commit together or not at all.
//! * `(tenant, id)` names one event for ever: a second publication with the same id, at the same time or later, on any node and whatever
//!   its body, gets the first one's answer and adds nothing.
//! * A reader that goes on from a cursor misses nothing, in whatever order transactions commit.
//! * `data` is stored and delivered exactly as it was written, white space and escapes included.
//! * Publishing writes no audit row: the log is the record, and a row in a hash chain per event would serialise a tenant's events.

mod accept;
mod ahead;
mod alert_types;
mod batch;
mod catalogue;
mod consumers;
mod copies;
mod event_types;
mod features;
mod filter;
mod get;
mod groups;
mod input;
mod interest;
mod job_types;
mod key_types;
mod lifecycle;
mod list;
mod load;
mod operational;
mod pattern;
mod planner;
mod poll;
mod position;
mod publish;
mod quarantined_events;
mod readable;
pub mod retention;
mod routes;
mod sequence;
mod shallow;
mod sql;
mod stream;
mod vault_types;
mod view;
mod wakes;

use std::sync::{Arc, OnceLock};

use blueprint::Blueprint;
use kernel::{Ambient, ClientId, Event, Result, Scope, TenantId};
use store::{Batcher, Engine, Home, Migration, Store, Tx};

use accept::Item;
use catalogue::Catalogue;
use wakes::Wakes;

pub use accept::Emitted;
pub use batch::{BatchAnswer, BatchEntry, PublishBatch};
pub use consumers::{ConsumerView, Start};
pub use copies::{Forget, Look, Looked};
pub use event_types::{DeprecationView, EventTypeView, VersionView};
pub use features::TenantFeatures;
pub use filter::{Envelope, Filter, Path};
pub use groups::announce_again;
pub use input::{MAX_CHANNEL, MAX_CHANNELS, MAX_DATA, MAX_ORDERING_KEY, Publish};
pub use list::EventFilter;
pub use load::{EventKey, FilteredQuery, Stretch, accepted_at, filtered, load, walk};
pub use operational::{
    ALERT_CLOSED, ALERT_OPENED, ALERT_UPDATED, API_KEY_EXPIRED, API_KEY_EXPIRING, API_KEY_LEAKED, API_KEY_REVOKED, API_KEY_ROTATED,
    API_KEY_ROTATION_DUE, DELIVERY_EXHAUSTED, EVENT_QUARANTINED, JOB_COMPLETED, JOB_FAILED, OAUTH_TOKEN_CONNECTED, OAUTH_TOKEN_DEGRADED,
    OAUTH_TOKEN_REAUTH_REQUIRED, OAUTH_TOKEN_RECOVERED, OAUTH_TOKEN_REVOKED, OPERATIONAL, SOURCE_REJECTED, WEBHOOK_DISABLED,
    WEBHOOK_FAILING, WEBHOOK_RECOVERED, is_operational,
};
pub use pattern::Pattern;
pub use planner::{MAX_PAIRS, Pair, Planned, Planner};
pub use poll::{PollQuery, Polled, PolledEvent};
pub use publish::Published;
pub use quarantined_events::{MAX_HELD_BYTES, MAX_HELD_EVENTS, QuarantinedEventView, Release, ReleaseMany, ReleasedMany};
pub use readable::{duplicate_member, is_readable};
pub use sequence::Sequence;
pub use stream::{StreamOptions, StreamQuery};
pub use view::EventView;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "events", version: 1, home: Home::State, sql: include_str!("../migrations/0001_events.sql") },
    Migration { feature: "events", version: 2, home: Home::State, sql: include_str!("../migrations/0002_readers.sql") },
    Migration { feature: "events", version: 3, home: Home::State, sql: include_str!("../migrations/0003_schemas.sql") },
];

/// Whether a client exists in a tenant. Clients belong to a feature above this one, which the binary wires in.
pub type ClientExists = Arc<dyn Fn(&mut Tx<'_>, TenantId, ClientId) -> Result<bool> + Send + Sync>;

/// Whether a tenant exists, likewise.
pub type TenantExists = Arc<dyn Fn(&mut Tx<'_>, TenantId) -> Result<bool> + Send + Sync>;

/// Most events in one transaction of the publishing batcher.
const GROUP: usize = 256;

/// The event log.
pub struct Events {
    store: Store,
    ambient: Ambient,
    catalogue: Catalogue,
    intake: Arc<Intake>,
    batcher: Batcher<Item, Result<Published>>,
    wakes: Arc<Wakes>,
    streams: StreamOptions,
    sequence: OnceLock<Arc<dyn Sequence>>,
}

/// What a publishing transaction needs besides its items.
struct Intake {
    planner: OnceLock<Arc<dyn Planner>>,
    tenants: OnceLock<TenantExists>,
    clients: ClientExists,
    features: OnceLock<TenantFeatures>,
    wakes: Arc<Wakes>,
}

impl Events {
    /// Compiles the blueprint's schemas and starts the publishing batcher; must be called on a tokio runtime.
    ///
    /// Error: internal, if a schema does not compile (a [`Blueprint`] that was parsed has none such).
    pub fn new(store: Store, ambient: Ambient, blueprint: &Blueprint, clients: ClientExists) -> Result<Arc<Self>> {
        Self::with_streams(store, ambient, blueprint, clients, StreamOptions::default())
    }

    /// [`Events::new`] with streams that behave otherwise than usual.
    pub fn with_streams(
        store: Store,
        ambient: Ambient,
        blueprint: &Blueprint,
        clients: ClientExists,
        streams: StreamOptions,
    ) -> Result<Arc<Self>> {
        let wakes = wakes(&store, streams);
        let intake = Arc::new(Intake {
            planner: OnceLock::new(),
            tenants: OnceLock::new(),
            clients,
            features: OnceLock::new(),
            wakes: Arc::clone(&wakes),
        });
        let at_once = match store.engine() {
            Engine::Sqlite => 2,
            Engine::Postgres => 4,
        };
        let accepting = Arc::clone(&intake);
        let batcher = Batcher::start(store.clone(), Scope::system("events"), GROUP, at_once, move |tx, items: &[Item]| {
            accept::group(tx, &accepting, items)
        });
        let (catalogue, sequence) = (Catalogue::new(blueprint)?, OnceLock::new());
        Ok(Arc::new(Self { catalogue, store, ambient, intake, batcher, wakes, streams, sequence }))
    }

    /// Once at start, before anything is published: settles the numbers by which readers go on, in case that the data has come from another
    /// database cluster.
    pub async fn prepare(&self) -> Result<()> {
        self.store.write(Scope::system("events"), groups::settle_clock).await
    }

    /// Sets who knows the sequence of a webhook. Once, at wiring. A second call changes nothing.
    pub fn set_sequence(&self, sequence: Arc<dyn Sequence>) {
        if self.sequence.set(sequence).is_err() {
            debug_assert!(false, "the sequence is set once");
        }
    }

    /// Ends every stream and every poll that waits; new ones are refused. For a server that stops.
    pub fn close_readers(&self) {
        self.wakes.close();
    }

    /// Sets who plans deliveries. Once, at wiring; until then events are stored and nobody gets them. A second call changes nothing.
    pub fn set_planner(&self, planner: Arc<dyn Planner>) {
        if self.intake.planner.set(planner).is_err() {
            debug_assert!(false, "the planner is set once");
        }
    }

    /// Sets who knows whether a tenant that a body names exists. Once, at wiring. (A tenant that a header names was looked up by the gate.)
    pub fn set_tenants(&self, tenants: TenantExists) {
        if self.intake.tenants.set(tenants).is_err() {
            debug_assert!(false, "the tenants are set once");
        }
    }

    /// The caller, acting for the tenant that a body names. Errors: 404 when there is no such tenant, 422 `tenant_mismatch`.
    async fn acting_for(&self, caller: &kernel::Caller, named: Option<TenantId>) -> Result<kernel::Caller> {
        let acting = caller.acting_for(named)?;
        let (Some(named), Some(tenants)) = (named.filter(|_| acting.tenant() != caller.tenant()), self.intake.tenants.get().cloned())
        else {
            return Ok(acting);
        };
        let known = self.store.read(Scope::system("events"), move |tx| tenants(tx, named)).await?;
        if known { Ok(acting) } else { Err(kernel::Error::not_found("tenant")) }
    }

    /// Accepts events inside another feature's transaction: they are planned and stored with whatever else it does. Types, schemas and
    /// clients are the caller's business. An event whose id is taken adds nothing and is answered with `deliveries` of the first one. One of a
    /// type that its tenant does not have is left out, of the answer too.
    pub fn emit(&self, tx: &mut Tx<'_>, events: Vec<Event>) -> Result<Vec<Emitted>> {
        let mut items: Vec<Item> = Vec::with_capacity(events.len());
        for event in events {
            if self.has_type(tx, event.tenant, &event.event_type)? {
                items.push(Item::new(event, &self.ambient));
            }
        }
        accept::all(tx, &self.intake, &items)
    }
}

/// The waiting readers, woken by whatever may have brought events.
fn wakes(store: &Store, options: StreamOptions) -> Arc<Wakes> {
    let wakes = Wakes::new(options.per_tenant);
    let weak = Arc::downgrade(&wakes);
    store.on_change(Box::new(move |change| {
        if let Some(wakes) = weak.upgrade() {
            wakes.judge(change);
        }
    }));
    // SQLite has no other nodes.
    if store.engine() == Engine::Postgres {
        tokio::spawn(wakes::look_around(Arc::downgrade(&wakes), store.clone()));
    }
    wakes
}
