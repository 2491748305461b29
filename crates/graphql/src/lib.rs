//! GraphQL over the blueprint's resource types, at `/graphql` and `/api/v1/graphql`.
//!
//! * [`model`](self): a schema as plain data, made of the blueprint or of a tenant's own type definitions;
//! * `documents`: a document is scanned, parsed, measured, validated, before anything of it runs;
//! * `execute`: level by level, each field for all objects of a level at once, by the operations that REST calls;
//! * `http`, `websocket`: GraphQL over HTTP, server-sent events (graphql-sse), WebSocket (graphql-transport-ws);
//! * `schemas`: a tenant's own schema and limits; `console`: the page at `/docs/graphql`.
//!
//! The library `async-graphql` parses, validates and answers introspection; it executes nothing.
//!
//! Table: `graphql_schemas`. Change notices: topic `graphql_schema`, key the tenant's id. No events of its own.
//!
//! Invariants:
//! * No operation has rules of its own: authority comes from the caller, and what is done is what REST does.
//! * Nothing is executed that was not measured; measuring costs no more than the limit.
//! * Every operation passes the gate, also those that come over a WebSocket.
//! * The number of statements of a query follows from its document, not from the data.

#![allow(clippy::result_large_err, reason = "a refusal is made once for a request, and read soon after")]

mod console;
mod documents;
mod dynamic;
mod execute;
mod failure;
mod http;
mod model;
mod operate;
mod params;
mod persisted;
mod routes;
mod schemas;
mod seats;
mod served;
mod websocket;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::Access;
use blueprint::Blueprint;
use events::Events;
use gate::Gate;
use kernel::{Ambient, Result, TenantId};
use moka::sync::Cache;
use records::Records;
use store::{Home, Migration, Store};
use tokio::sync::watch;

use documents::cost::Bounds;
use execute::Sources;
use persisted::Persisted;
use schemas::sdl;
use seats::Seats;
use served::Offer;

pub use console::console;
pub use schemas::objections;
pub use schemas::{DEFAULT_COMPLEXITY, DEFAULT_DEPTH, GraphqlLifecycle, GraphqlSchema, GraphqlSchemaInput, MAX_COMPLEXITY, MAX_DEPTH};

/// This crate's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "graphql", version: 1, home: Home::State, sql: include_str!("../migrations/0001_graphql.sql") }];

/// Tenants whose schemas are kept made.
const KEPT_TENANTS: u64 = 1000;
/// A schema that nobody asked for so long is made again.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// What GraphQL works with.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Clock and chance.
    pub ambient: Ambient,
    /// What is declared.
    pub blueprint: Arc<Blueprint>,
    /// Records.
    pub records: Arc<Records>,
    /// Events.
    pub events: Arc<Events>,
    /// Who may do what.
    pub access: Arc<Access>,
    /// The gate that operations pass.
    pub gate: Arc<Gate>,
}

/// GraphQL: schemas by tenant, and the execution of operations.
pub struct Graphql {
    store: Store,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    sources: Sources,
    access: Arc<Access>,
    gate: Arc<Gate>,
    /// The blueprint's schema with the usual limits.
    base: Offer,
    tenants: Cache<TenantId, Offer>,
    /// One more with every notice, so that a schema that was read before it is not kept after it.
    notices: Arc<AtomicU64>,
    persisted: Persisted,
    seats: Seats,
    closing: watch::Sender<bool>,
}

impl Graphql {
    /// For the resource types of a blueprint.
    ///
    /// Errors: internal, when no schema can be made of them.
    pub fn new(parts: Parts) -> Result<Arc<Self>> {
        let Parts { store, ambient, blueprint, records, events, access, gate } = parts;
        let base = Offer::new(model::derive::derive(&blueprint, &records)?, schemas::usual())?;
        let tenants: Cache<TenantId, Offer> = Cache::builder().max_capacity(KEPT_TENANTS).time_to_idle(KEPT_FOR).build();
        let notices = Arc::new(AtomicU64::new(0));
        let (known, heard) = (tenants.clone(), Arc::clone(&notices));
        store.on_change(Box::new(move |change| {
            if change.concerns(schemas::TOPIC) {
                heard.fetch_add(1, Ordering::SeqCst);
                match change.key.parse::<TenantId>() {
                    Ok(tenant) => known.invalidate(&tenant),
                    Err(_) => known.invalidate_all(),
                }
            }
        }));
        let sources = Sources { records, events };
        let (persisted, closing) = (Persisted::new(), watch::Sender::new(false));
        Ok(Arc::new(Self {
            store,
            ambient,
            blueprint,
            sources,
            access,
            gate,
            base,
            tenants,
            notices,
            persisted,
            seats: Seats::default(),
            closing,
        }))
    }

    /// The schema that a tenant is served, with its limits.
    async fn offer(&self, tenant: TenantId) -> Result<Offer> {
        if let Some(known) = self.tenants.get(&tenant) {
            return Ok(known);
        }
        let heard = self.notices.load(Ordering::SeqCst);
        let scope = kernel::TenantScope::system("graphql", tenant);
        let row = self.store.read(scope, move |tx| schemas::find(tx, tenant)).await?;
        let offer = match row {
            None => self.base.clone(),
            Some(row) => self.made(&row.type_defs, row.bounds).unwrap_or_else(|faults| {
                // It was good when it was set: the blueprint has changed since.
                tracing::warn!(%tenant, ?faults, "a tenant's GraphQL schema does not fit the blueprint any more; its operations are refused");
                self.base.bounded(row.bounds).outdated(faults)
            }),
        };
        if self.notices.load(Ordering::SeqCst) == heard {
            self.tenants.insert(tenant, offer.clone());
        }
        Ok(offer)
    }

    /// A schema of type definitions; of none, the blueprint's.
    fn made(&self, type_defs: &str, bounds: Bounds) -> std::result::Result<Offer, sdl::Faults> {
        if type_defs.is_empty() {
            return Ok(self.base.bounded(bounds));
        }
        let kind = |name: &str| self.sources.records.resource_type(name).ok().cloned();
        let world = sdl::World { blueprint: &self.blueprint, kind: &kind };
        let model = sdl::compile(type_defs, &world)?;
        Offer::new(model, bounds).map_err(|error| vec![format!("line 1, column 1: {error}")])
    }

    /// Whether the server stops.
    fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Ends subscriptions and sockets: a server that stops does not wait for them.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
