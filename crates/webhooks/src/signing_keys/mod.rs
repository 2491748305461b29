//! The tenant's Ed25519 keys, whose public parts anyone may have. The keys themselves are `dispatch`'s.

mod list;
mod public;
mod rotate;

use std::sync::Arc;

use kernel::{Permission, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Access, Api, Endpoint};

use crate::{RotateSecret, Webhooks};

pub use list::WebhookKeys;
pub use public::{KeySet, PublicJwk};

/// Where the public keys are.
pub(crate) const PATH: &str = "/.well-known/webhook-keys";
const KEYS: &str = "/api/v1/webhook-keys";

/// A key that signs the tenant's deliveries.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookKey {
    /// Its id, as in the key set.
    pub kid: String,
    /// The public key, `whpk_…`.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it signs; null for the newest.
    pub expires_at: Option<Timestamp>,
}

impl From<dispatch::signing_keys::WebhookKey> for WebhookKey {
    fn from(key: dispatch::signing_keys::WebhookKey) -> Self {
        Self { public_key: key.public.text(), kid: key.kid, created_at: key.created_at, expires_at: key.expires_at }
    }
}

pub(crate) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let list = Endpoint::get(KEYS, "webhook_keys.list")
        .tag("Webhooks")
        .summary("List the keys that sign the tenant's deliveries")
        .needs(Access::Permission(Permission::WebhooksRead))
        .answers::<WebhookKeys>(200);
    let rotate = Endpoint::post(format!("{KEYS}/rotate"), "webhook_keys.rotate")
        .tag("Webhooks")
        .summary("Make a new key; the present ones sign until the overlap is over")
        .needs(Access::Permission(Permission::WebhooksWrite))
        .body::<RotateSecret>()
        .answers::<WebhookKey>(200);
    let public = Endpoint::get(PATH, "webhook_keys.public")
        .tag("Webhooks")
        .summary("The public keys of one tenant, or of all, as a JSON Web Key Set")
        .needs(Access::Public)
        .query(&[("tenant", "Only this tenant's keys: a receiver must accept no others")])
        .answers::<KeySet>(200);
    Api::new().route(list, list::handle, Arc::clone(webhooks)).route(rotate, rotate::handle, Arc::clone(webhooks)).route(
        public,
        public::handle,
        Arc::clone(webhooks),
    )
}
