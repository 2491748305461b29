//! `webhooks.secrets`: what signs a webhook's deliveries now, without the secrets.

use std::sync::Arc;

use axum::extract::State;
use dispatch::acceptances::{self, Acceptance};
use dispatch::http::{HttpConfig, SignatureForm};
use dispatch::{destinations, signing_keys};
use kernel::{Caller, DestinationId, Permission, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::signature::WebhookSecret;

use super::WebhookPath;
use crate::Webhooks;
use crate::signing_keys::PATH;

/// What signs a webhook's deliveries now.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookSecrets {
    /// Which signatures a delivery carries.
    pub signature: SignatureForm,
    /// The secrets and keys that sign, in the order of their signatures in `webhook-signature`.
    pub data: Vec<SigningSecret>,
    /// Where the public keys are; absent where none signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_url: Option<String>,
}

/// A secret or key that signs.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningSecret {
    /// Its id: a receiver may name it in `webhook-signature-accepted`.
    pub kid: String,
    /// `v1` or `v1a`.
    pub version: String,
    /// When it was made, if that is known.
    pub created_at: Option<Timestamp>,
    /// Until when it signs; null for the newest.
    pub expires_at: Option<Timestamp>,
    /// The public key (`whpk_…`) of a `v1a` one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// How often the receiver said that it verified with this one.
    pub accepted_count: u64,
    /// When it last said so.
    pub last_accepted_at: Option<Timestamp>,
}

impl Webhooks {
    /// The secrets and keys that sign, never themselves. Error: 404.
    pub async fn secrets(&self, caller: &Caller, path: WebhookPath) -> Result<WebhookSecrets> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let row = path.find(tx, tenant)?;
                secrets(tx, tenant, row.id)
            })
            .await
    }
}

fn secrets(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<WebhookSecrets> {
    let now = tx.now();
    let config = HttpConfig::read(&destinations::get(tx, tenant, id)?.config)?;
    let accepted = acceptances::of(tx, tenant, id)?;
    let mut data = Vec::new();
    if config.signature.is_symmetric() {
        for entry in config.secrets.iter().filter(|entry| entry.expires_at.is_none_or(|at| now < at)) {
            let kid = WebhookSecret::parse(&entry.secret)?.kid();
            data.push(shown(&accepted, kid, "v1", entry.created_at, entry.expires_at));
        }
    }
    let mut keys_url = None;
    if config.signature.is_asymmetric() {
        keys_url = Some(format!("{PATH}?tenant={tenant}"));
        for key in signing_keys::list(tx, tenant)? {
            let public_key = Some(key.public.text());
            let one = shown(&accepted, key.kid, "v1a", Some(key.created_at), key.expires_at);
            data.push(SigningSecret { public_key, ..one });
        }
    }
    Ok(WebhookSecrets { signature: config.signature, data, keys_url })
}

fn shown(
    accepted: &[Acceptance],
    kid: String,
    version: &str,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
) -> SigningSecret {
    let said = accepted.iter().find(|one| one.kid == kid);
    SigningSecret {
        version: version.to_owned(),
        created_at,
        expires_at,
        public_key: None,
        accepted_count: said.map_or(0, |one| one.accepted),
        last_accepted_at: said.map(|one| one.last_accepted_at),
        kid,
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
) -> web::Result<web::Json<WebhookSecrets>> {
    Ok(web::Json(webhooks.secrets(&caller, WebhookPath::nested(&client, id)?).await?))
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
) -> web::Result<web::Json<WebhookSecrets>> {
    Ok(web::Json(webhooks.secrets(&caller, id.into()).await?))
}
