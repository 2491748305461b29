//! `webhook_keys.list`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::signing_keys;
use kernel::{Caller, Permission, Result};
use serde::{Deserialize, Serialize};

use super::WebhookKey;
use crate::Webhooks;

/// A tenant's keys.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookKeys {
    /// Those that sign now, the newest first. Empty until a webhook asks for `v1a`.
    pub data: Vec<WebhookKey>,
}

impl Webhooks {
    /// The tenant's keys that sign now, the newest first.
    pub async fn keys(&self, caller: &Caller) -> Result<WebhookKeys> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        let keys = self.store.read(scope, move |tx| signing_keys::list(tx, tenant)).await?;
        Ok(WebhookKeys { data: keys.into_iter().map(WebhookKey::from).collect() })
    }
}

pub(super) async fn handle(State(webhooks): State<Arc<Webhooks>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<WebhookKeys>> {
    Ok(web::Json(webhooks.keys(&caller).await?))
}
