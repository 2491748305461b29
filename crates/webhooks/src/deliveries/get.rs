//! `deliveries.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, DeliveryId, Error, Permission, Result};

use super::{DeliveryView, with_payloads};
use crate::Webhooks;

impl Webhooks {
    /// One delivery with its payload. Error: 404.
    pub async fn delivery(&self, caller: &Caller, id: DeliveryId) -> Result<DeliveryView> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let delivery = dispatch::deliveries::get(tx, tenant, id)?;
                with_payloads(tx, tenant, vec![delivery], usize::MAX)?.pop().ok_or_else(|| Error::not_found("delivery"))
            })
            .await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DeliveryId>,
) -> web::Result<web::Json<DeliveryView>> {
    Ok(web::Json(webhooks.delivery(&caller, id).await?))
}
