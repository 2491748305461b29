//! The durable event log.
//!
//! Purpose: an event is accepted once, byte for byte, with the deliveries that follow from it, in one transaction; then it is answered.
//! The blueprint declares the types; `data` must satisfy the type's schema when it is published from outside.
//!
//! Tables: `events` (by day), `event_ids`.
//!
//! Events of its own: none; every event passes through here.
//!
//! Invariants:
//! * No answer before the commit. The event and its deliveries (planned by the [`Planner`]) commit together or not at all.
//! * `(tenant, id)` names one event for ever: a second publication with the same id, at the same time or later, on any node and whatever
//!   its body, gets the first one's answer and adds nothing.
//! * `data` is stored and delivered exactly as it was written, white space and escapes included.
//! * Publishing writes no audit row: the log is the record, and a row in a hash chain per event would serialise a tenant's events.

mod accept;
mod batch;
mod catalogue;
mod event_types;
mod get;
mod input;
mod lifecycle;
mod list;
mod load;
mod planner;
mod publish;
mod readable;
mod routes;
mod shallow;
mod sql;
mod view;

use std::sync::{Arc, OnceLock};

use blueprint::Blueprint;
use kernel::{Ambient, ClientId, Event, Result, Scope, TenantId};
use store::{Batcher, Engine, Home, Migration, Store, Tx};

use accept::Item;
use catalogue::Catalogue;

pub use accept::Emitted;
pub use batch::{BatchAnswer, BatchEntry, PublishBatch};
pub use event_types::EventTypeView;
pub use input::{MAX_CHANNEL, MAX_CHANNELS, MAX_DATA, MAX_ORDERING_KEY, Publish};
pub use list::EventFilter;
pub use load::{EventKey, load};
pub use planner::{Planned, Planner};
pub use publish::Published;
pub use view::EventView;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "events", version: 1, home: Home::State, sql: include_str!("../migrations/0001_events.sql") }];

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
}

/// What a publishing transaction needs besides its items.
struct Intake {
    planner: OnceLock<Arc<dyn Planner>>,
    tenants: OnceLock<TenantExists>,
    clients: ClientExists,
}

impl Events {
    /// Compiles the blueprint's schemas and starts the publishing batcher; must be called on a tokio runtime.
    ///
    /// Error: internal, if a schema does not compile (a [`Blueprint`] that was parsed has none such).
    pub fn new(store: Store, ambient: Ambient, blueprint: &Blueprint, clients: ClientExists) -> Result<Arc<Self>> {
        let intake = Arc::new(Intake { planner: OnceLock::new(), tenants: OnceLock::new(), clients });
        let at_once = match store.engine() {
            Engine::Sqlite => 2,
            Engine::Postgres => 4,
        };
        let accepting = Arc::clone(&intake);
        let batcher = Batcher::start(store.clone(), Scope::system("events"), GROUP, at_once, move |tx, items: &[Item]| {
            accept::group(tx, &accepting, items)
        });
        Ok(Arc::new(Self { catalogue: Catalogue::new(blueprint)?, store, ambient, intake, batcher }))
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
    /// clients are the caller's business. An event whose id is taken adds nothing and is answered with `deliveries` of the first one.
    pub fn emit(&self, tx: &mut Tx<'_>, events: Vec<Event>) -> Result<Vec<Emitted>> {
        let items: Vec<Item> = events.into_iter().map(|event| Item::new(event, &self.ambient)).collect();
        accept::all(tx, &self.intake, &items)
    }
}
