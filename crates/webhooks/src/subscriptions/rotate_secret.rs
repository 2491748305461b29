//! `webhooks.rotate_secret`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use dispatch::destinations::{self, DestinationUpdate};
use kernel::{Caller, DestinationId, Error, Permission, Result, Timestamp};
use serde::{Deserialize, Serialize};
use web::signature::WebhookSecret;

use super::WebhookPath;
use super::target::Target;
use crate::Webhooks;

/// Longest overlap: 30 days.
const MAX_OVERLAP: u64 = 30 * 86_400;
/// Overlap when nothing is said: a day.
const OVERLAP: u64 = 86_400;

/// How a secret is replaced.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateSecret {
    /// For how long the old secret still signs too: 0 to 2592000 seconds, by default a day.
    pub overlap_seconds: Option<u64>,
}

/// The new secret, this once.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSecret {
    /// `whsec_…`
    pub secret: String,
    /// Until when the old one signs too.
    pub previous_valid_until: Timestamp,
}

/// Checks an overlap in seconds; a day when nothing is said. Error: 422.
pub(crate) fn overlap(input: &RotateSecret) -> Result<Duration> {
    let overlap = input.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > MAX_OVERLAP {
        return Err(Error::field("/overlapSeconds", format!("must be 0 to {MAX_OVERLAP}")));
    }
    Ok(Duration::from_secs(overlap))
}

impl Webhooks {
    /// Replaces a webhook's secret. Until the overlap is over, deliveries carry a signature by each.
    ///
    /// Errors: 404, 422 `validation_failed`.
    pub async fn rotate_secret(&self, caller: &Caller, path: WebhookPath, input: RotateSecret) -> Result<RotatedSecret> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let overlap = overlap(&input)?;
        let secret = WebhookSecret::generate(&self.ambient);
        self.store
            .answer(scope, move |tx| {
                let row = path.find(tx, tenant)?;
                let now = tx.now();
                let until = now.plus(overlap);
                let config = Target::with_new_secret(&destinations::get(tx, tenant, row.id)?.config, &secret, now, until)?;
                destinations::update(tx, tenant, row.id, DestinationUpdate { config: Some(config), policy: None })?;
                tx.audit("subscription.rotate_secret", row.id)?;
                Ok(RotatedSecret { secret: secret.text().reveal().clone(), previous_valid_until: until })
            })
            .await
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    input: Option<web::Json<RotateSecret>>,
) -> web::Result<web::Json<RotatedSecret>> {
    let input = input.map(|web::Json(input)| input).unwrap_or_default();
    Ok(web::Json(webhooks.rotate_secret(&caller, WebhookPath::nested(&client, id)?, input).await?))
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    input: Option<web::Json<RotateSecret>>,
) -> web::Result<web::Json<RotatedSecret>> {
    let input = input.map(|web::Json(input)| input).unwrap_or_default();
    Ok(web::Json(webhooks.rotate_secret(&caller, id.into(), input).await?))
}
