//! `deliveries.attempts`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, DeliveryId, Permission, Result};
use serde::Serialize;

use super::Attempt;
use crate::Webhooks;

/// The attempts of a delivery.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Attempts {
    /// The first one first.
    data: Vec<Attempt>,
}

impl Webhooks {
    /// The attempts of a delivery, the first one first. Error: 404.
    pub async fn attempts(&self, caller: &Caller, id: DeliveryId) -> Result<Vec<Attempt>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope.clone(), move |tx| dispatch::deliveries::get(tx, tenant, id)).await?;
        self.store.logs().read(scope, move |tx| dispatch::deliveries::attempts(tx, tenant, id)).await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DeliveryId>,
) -> web::Result<web::Json<Attempts>> {
    Ok(web::Json(Attempts { data: webhooks.attempts(&caller, id).await? }))
}
