//! `quarantined_events.get`: one publication that is kept apart.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, EventId, Permission, Result};

use super::{QuarantinedEventView, sql};
use crate::Events;

impl Events {
    /// One publication of the caller's tenant that is kept apart. Error: 404.
    pub async fn get_quarantined(&self, caller: &Caller, id: EventId) -> Result<QuarantinedEventView> {
        let scope = caller.allow(Permission::EventsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::find(tx, tenant, &id)).await?.ok_or_else(|| Error::not_found("quarantined event"))
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
) -> web::Result<web::Json<QuarantinedEventView>> {
    Ok(web::Json(events.get_quarantined(&caller, id).await?))
}
