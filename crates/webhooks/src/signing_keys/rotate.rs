//! `webhook_keys.rotate`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::signing_keys;
use kernel::{Caller, Permission, Result};

use super::WebhookKey;
use crate::subscriptions::overlap;
use crate::{RotateSecret, Webhooks};

impl Webhooks {
    /// Makes a new key. The present ones sign, and are published, until the overlap is over; with an overlap of 0 they end at once.
    ///
    /// Errors: 409 `too_many_keys`, 422 `validation_failed`.
    pub async fn rotate_key(&self, caller: &Caller, input: RotateSecret) -> Result<WebhookKey> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let (tenant, overlap) = (scope.tenant(), overlap(&input)?);
        self.store
            .answer(scope, move |tx| {
                let until = tx.now().plus(overlap);
                signing_keys::rotate(tx, tenant, until).map(WebhookKey::from)
            })
            .await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    input: Option<web::Json<RotateSecret>>,
) -> web::Result<web::Json<WebhookKey>> {
    let input = input.map(|web::Json(input)| input).unwrap_or_default();
    Ok(web::Json(webhooks.rotate_key(&caller, input).await?))
}
