//! `deliveries.retry`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::deliveries::Delivery;
use kernel::{Caller, DeliveryId, Permission, Result};

use crate::Webhooks;

impl Webhooks {
    /// Queues a delivery again, at once and with its whole retry schedule before it. Errors: 404, 409 `webhook_disabled`.
    pub async fn retry(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let dispatch = Arc::clone(&self.dispatch);
        self.store.answer(scope, move |tx| dispatch.retry(tx, tenant, id)).await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DeliveryId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Accepted<Delivery>> {
    Ok(web::Accepted(webhooks.retry(&caller, id).await?))
}
