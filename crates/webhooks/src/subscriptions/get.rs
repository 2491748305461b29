//! `webhooks.get`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::destinations;
use kernel::{Caller, DestinationId, Permission, Result};

use super::{Webhook, WebhookPath};
use crate::Webhooks;

impl Webhooks {
    /// One webhook. Error: 404.
    pub async fn get(&self, caller: &Caller, path: WebhookPath) -> Result<Webhook> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let row = path.find(tx, tenant)?;
                Webhook::of(&row, &destinations::get(tx, tenant, row.id)?)
            })
            .await
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.get(&caller, WebhookPath::nested(&client, id)?).await?))
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.get(&caller, id.into()).await?))
}
