//! A tenant's connections to vendors.
//!
//! Purpose: an integration is a connector with a tenant's configuration and credential. From it a [`connectors::Session`] is made, by which a
//! connector talks to the vendor: the credential is added, the budget of the account is kept, every call is logged. Beside it stand the
//! catalogue of connectors, connectors that tenants and operators describe in a file, the discovery of a vendor's objects, previews of
//! mappings, and the addresses that vendors call.
//!
//! Tables: `integrations`, `integration_budgets`, `integration_schemas`, `integration_calls`, `integration_hours`, `tenant_connectors`,
//! `operator_connectors`.
//!
//! Events: none of its own; the vault tells of credentials that end.
//!
//! Invariants:
//! * A credential leaves the server only towards the account's own base address.
//! * A budget is spent before a call is made, by every run on every server out of one row; not every call writes it.
//! * What is logged, answered or shown of a call holds no secret; the log is bounded.
//! * Nothing of a vendor's call is believed before the connector has verified it; it is answered after its hints are committed.

mod budgets;
mod built_in;
mod carrier;
mod custom;
mod inbound;
#[allow(clippy::module_inception, reason = "the resource has the crate's name")]
mod integrations;
mod journal;
mod lifecycle;
mod marketplace;
mod objects;
mod previews;
mod routes;
mod sessions;

use std::sync::{Arc, OnceLock};

use ::blueprint::Blueprint;
use connectors::{About, Connector};
use kernel::Ambient;
use script::Engine;
use store::{Home, Migration, Store};
use vault::Vault;
use web::outbound::Client;

use budgets::Budgets;
use custom::Compiled;
use journal::Journal;

pub use built_in::built_in;
pub use custom::{CustomConnector, CustomConnectorInput, Source};
pub use inbound::HintSink;
pub use integrations::{CallEntry, Exchange, Health, Integration, IntegrationInput, IntegrationPatch, Latency, Shown, Status, TestResult};
pub use marketplace::{Entry, Listing};
pub use objects::{Change, Described, Drift, form_of};
pub use previews::{Preview, PreviewInput, PreviewProblem, invalid as invalid_mapping};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "integrations", version: 1, home: Home::State, sql: include_str!("../migrations/0001_integrations.sql") }];

/// The topic of change notices about integrations; the key is the id.
pub const TOPIC: &str = "integration";

/// What integrations stand on.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub ambient: Ambient,
    /// The product: its resource types, for proposals.
    pub blueprint: Arc<Blueprint>,
    /// Whose tokens OAuth connectors use.
    pub vault: Arc<Vault>,
    /// The guarded client by which vendors are asked.
    pub outbound: Client,
    /// Where tenants' functions run, for previews.
    pub scripts: Engine,
    /// The address under which vendors reach this server, without a slash at the end.
    pub public_url: String,
    /// The connectors that are built in.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Those that are in the catalogue and have nothing to synchronise.
    pub listed: Vec<About>,
}

/// Integrations and what stands around them.
pub struct Integrations {
    parts: Parts,
    budgets: Arc<Budgets>,
    journal: Arc<Journal>,
    compiled: Compiled,
    hints: OnceLock<Arc<dyn HintSink>>,
}

impl Integrations {
    /// Does nothing by itself. The binary puts it among the lifecycles.
    pub fn new(parts: Parts) -> Arc<Self> {
        let (budgets, journal) = (Budgets::new(&parts.store), Journal::new(&parts.store, &parts.ambient));
        Arc::new(Self { budgets, journal, compiled: Compiled::default(), hints: OnceLock::new(), parts })
    }

    /// Writes what the log holds in memory.
    pub async fn flush(&self) {
        self.journal.flush().await;
    }
}

impl std::fmt::Debug for Integrations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Integrations").finish_non_exhaustive()
    }
}
