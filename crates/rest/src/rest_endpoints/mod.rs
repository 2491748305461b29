//! REST endpoints that a tenant declares while the server runs: another path to an operation on its records, with its own scopes and its own
//! schema for what is sent.
//!
//! Served at `/api/v1/x/<path>` for the credential's tenant, a public one also at `/public/<tenantSlug>/<path>` without a credential.
//!
//! Table: `rest_endpoints`. Change notices: topic `rest_endpoint`, key the tenant's id.
//!
//! Invariants:
//! * An endpoint has no rules of its own: it calls the operations of `records` that declared endpoints call.
//! * Whoever makes one may do what it does.
//! * What is made is served, and what is deleted is not, from the answer on by this node and within a second by the others.
//! * What strangers may cost is bounded: so many calls a minute from one address.

mod bounds;
mod create;
mod delete;
mod describe;
mod endpoint;
mod get;
mod input;
mod lifecycle;
mod list;
mod live;
mod objections;
mod parameters;
mod path;
mod routes;
mod serve;
mod shown;
mod sql;
mod strangers;

use std::sync::{Arc, OnceLock};

use blueprint::Blueprint;
use kernel::Ambient;
use records::Records;
use store::Store;
use switches::Switches;

use bounds::Bounds;
use live::Live;

pub use endpoint::{RestEndpoint, RestEndpointInput, RestMethod, RestOperation, RestOperationType};
pub use objections::objections;
pub(crate) use strangers::{ForStrangers, Stranger};

/// Most endpoints of one tenant.
pub const MAX_PER_TENANT: u64 = 100;
/// Below this path they are served for the credential's tenant.
pub(crate) const OWN: &str = "/api/v1/x/";
/// Below this path and a tenant's slug those that are public.
pub(crate) const PUBLIC: &str = "/public/";
/// The topic of change notices; the key is the tenant's id.
const TOPIC: &str = "rest_endpoint";

/// Endpoints declared at run time: their management, and the calls of them.
pub struct RestEndpoints {
    store: Store,
    ambient: Ambient,
    records: Arc<Records>,
    blueprint: Arc<Blueprint>,
    switches: OnceLock<Arc<Switches>>,
    live: Live,
    bounds: Bounds,
}

impl RestEndpoints {
    /// Over the resource types of `records`, which was made for `blueprint`. Follows changes from now on. The binary puts it among the
    /// lifecycles.
    pub fn new(store: Store, ambient: Ambient, blueprint: Arc<Blueprint>, records: Arc<Records>) -> Arc<Self> {
        let endpoints = Arc::new(Self {
            store,
            ambient,
            records,
            blueprint,
            switches: OnceLock::new(),
            live: Live::default(),
            bounds: Bounds::default(),
        });
        let weak = Arc::downgrade(&endpoints);
        endpoints.store.on_change(Box::new(move |change| {
            if let Some(endpoints) = weak.upgrade() {
                endpoints.live.forget(change);
            }
        }));
        endpoints
    }

    /// Heeds maintenance: public endpoints are out of service while it is on. Once, at wiring; a second call changes nothing.
    pub fn heed(&self, switches: Arc<Switches>) {
        let _ = self.switches.set(switches);
    }
}
