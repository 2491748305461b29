//! `deliveries.cancel`, and `events.cancel` for all of an event's.

use std::sync::Arc;

use axum::extract::State;
use dispatch::deliveries::Delivery;
use kernel::{Caller, DeliveryId, Error, EventId, Permission, Result};
use serde::{Deserialize, Serialize};

use crate::Webhooks;

/// What was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// The event, which stays.
    pub id: EventId,
    /// How many of its deliveries were pending and are skipped now, reason `cancelled`.
    pub cancelled: u64,
}

impl Webhooks {
    /// Ends a pending delivery as skipped, reason `cancelled`. An attempt that is under way is not called back.
    ///
    /// Errors: 404, 409 `delivery_ended`.
    pub async fn cancel_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let dispatch = Arc::clone(&self.dispatch);
        self.store.answer(scope, move |tx| dispatch.cancel(tx, tenant, id)).await
    }

    /// Ends every pending delivery of an event: what was scheduled is not sent, what waits for a retry is not tried again. Error: 404.
    pub async fn cancel_event(&self, caller: &Caller, id: EventId) -> Result<Cancelled> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let dispatch = Arc::clone(&self.dispatch);
        self.store
            .answer(scope, move |tx| {
                events::accepted_at(tx, tenant, &id)?.ok_or_else(|| Error::not_found("event"))?;
                let cancelled = dispatch.cancel_event(tx, tenant, &id)?;
                Ok(Cancelled { id, cancelled })
            })
            .await
    }
}

pub(super) async fn one(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DeliveryId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<Delivery>> {
    Ok(web::Json(webhooks.cancel_delivery(&caller, id).await?))
}

pub(super) async fn of_event(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<Cancelled>> {
    Ok(web::Json(webhooks.cancel_event(&caller, id).await?))
}
