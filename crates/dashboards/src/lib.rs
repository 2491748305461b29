//! How things stand. A client: its calls, its webhooks, its limits, in one answer, put together from what `usage`, `webhooks` and `gate` know. This server: [`health`].
//!
//! Tables: none. Events: none. Invariants: it shows a caller nothing that the caller could not ask those features for.

mod clients;
pub mod health;

use std::sync::Arc;

use access::Access;
use gate::Gate;
use kernel::Ambient;
use store::Store;
use usage::Usage;
use webhooks::Webhooks;

pub use clients::{Dashboard, KeyLimits, LimitState, WebhookStanding};

/// The feature.
pub struct Dashboards {
    store: Store,
    ambient: Ambient,
    access: Arc<Access>,
    gate: Arc<Gate>,
    usage: Arc<Usage>,
    webhooks: Arc<Webhooks>,
}

impl Dashboards {
    /// Over the features that know.
    pub fn new(
        store: Store,
        ambient: Ambient,
        access: Arc<Access>,
        gate: Arc<Gate>,
        usage: Arc<Usage>,
        webhooks: Arc<Webhooks>,
    ) -> Arc<Self> {
        Arc::new(Self { store, ambient, access, gate, usage, webhooks })
    }

    /// The HTTP surface.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        clients::routes(self)
    }
}
