//! `events.publish`: one event.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, EventId, EventType, Permission, Result};
use serde::{Deserialize, Serialize};

use crate::accept;
use crate::{Events, Publish};

/// An event that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Its id.
    pub id: EventId,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub event_type: EventType,
    /// To how many webhooks it goes.
    pub deliveries: u32,
    /// In how many ways its data breaks the schema of its type; absent: in none. The event itself names them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warnings: u32,
    /// Whether it is kept apart because its data breaks the schema; absent: it is not. Until it is released nobody gets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quarantined: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Events {
    /// Accepts one event; answers after the commit. The same id again gives the same answer and nothing new.
    ///
    /// Errors: 422 `unknown_event_type`, `unknown_schema_version`, `validation_failed` (with pointers into `data` where it breaks its schema),
    /// `unknown_client`; 400 `duplicate_member`; 403 `insufficient_scope`; 404 for another's tenant; 409 `quarantine_full`; 503 `overloaded`.
    pub async fn publish(&self, caller: &Caller, mut input: Publish) -> Result<Published> {
        self.catalogue.rename(&mut input.event_type);
        let caller = self.acting_for(caller, input.tenant_id).await?;
        let scope = caller.allow(Permission::EventsPublish)?;
        let features = self.features_for(scope.tenant(), std::iter::once(&input.event_type)).await?;
        let item = self.checked(scope.tenant(), input, &features, "")?;
        if caller.request().is_none_or(|request| request.slot.is_none()) {
            return self.batcher.submit(item).await?;
        }
        // An answer that is to be kept for an idempotency key needs a savepoint of its own.
        let intake = Arc::clone(&self.intake);
        let one = move |tx: &mut store::Tx<'_>| {
            let mut answers = accept::group(tx, &intake, &[item])?;
            answers.pop().unwrap_or_else(|| Err(kernel::Error::internal("an event has no answer")))
        };
        self.store.answer(scope, one).await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<Publish>,
) -> web::Result<web::Accepted<Published>> {
    Ok(web::Accepted(events.publish(&caller, input).await?))
}
