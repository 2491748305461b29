//! `webhook_keys.public`: a JSON Web Key Set (RFC 7517) for receivers.
//!
//! A receiver names the tenant whose deliveries it takes and accepts no other key: the keys of other tenants verify the deliveries of other
//! tenants, who may send theirs anywhere.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use kernel::{Result, TenantId};
use serde::{Deserialize, Serialize};

use crate::Webhooks;

/// For how long a receiver may keep the set. Overlaps should be longer.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Which keys.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySetQuery {
    #[serde(default)]
    tenant: Option<TenantId>,
}

/// A key set.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeySet {
    /// The keys that sign now.
    pub keys: Vec<PublicJwk>,
}

/// A public key (RFC 8037).
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicJwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// The key's thumbprint (RFC 7638).
    pub kid: String,
    /// The 32 bytes, in base64url.
    pub x: String,
    /// The same as Standard Webhooks write it.
    pub whpk: String,
    /// The second from which it signs no more; absent for the newest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exp: Option<i64>,
}

impl Webhooks {
    /// The public keys of one tenant, or of all.
    pub async fn key_set(&self, tenant: Option<TenantId>) -> Result<KeySet> {
        let keys = self.signing_keys.public(tenant, self.ambient.now()).await?;
        let shown = |key: dispatch::signing_keys::WebhookKey| {
            let mut jwk: PublicJwk = serde_json::from_value(key.public.jwk()).map_err(kernel::Error::internal)?;
            jwk.exp = key.expires_at.map(kernel::Timestamp::seconds);
            Ok(jwk)
        };
        Ok(KeySet { keys: keys.into_iter().map(shown).collect::<Result<_>>()? })
    }
}

pub(super) async fn handle(State(webhooks): State<Arc<Webhooks>>, web::Query(query): web::Query<KeySetQuery>) -> web::Result<Response> {
    let set = webhooks.key_set(query.tenant).await?;
    Ok(([(header::CACHE_CONTROL, CACHED)], web::Json(set)).into_response())
}
