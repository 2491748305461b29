//! `events.publish`: one event.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, EventId, EventType, Permission, Result};
use serde::{Deserialize, Serialize};

use crate::accept::{self, Item};
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
}

impl Events {
    /// Accepts one event; answers after the commit. The same id again gives the same answer and nothing new.
    ///
    /// Errors: 422 `unknown_event_type`, `validation_failed` (with pointers into `data` where it breaks its schema), `unknown_client`; 403
    /// `insufficient_scope`; 404 for another's tenant; 503 `overloaded`.
    pub async fn publish(&self, caller: &Caller, input: Publish) -> Result<Published> {
        let caller = self.acting_for(caller, input.tenant_id).await?;
        let scope = caller.allow(Permission::EventsPublish)?;
        let item = Item::new(self.checked(scope.tenant(), input, "")?, &self.ambient);
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
