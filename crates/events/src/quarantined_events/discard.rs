//! `quarantined_events.discard`: a publication that was kept apart goes, and its id is free again.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, EventId, Permission, Result};

use super::sql;
use crate::Events;

impl Events {
    /// Discards a publication that was kept apart. Errors: 403 `insufficient_scope`, 404.
    pub async fn discard_quarantined(&self, caller: &Caller, id: EventId) -> Result<()> {
        let scope = caller.allow(Permission::EventsPublish)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                if !sql::remove(tx, tenant, &id, None)? {
                    return Err(Error::not_found("quarantined event"));
                }
                tx.audit("quarantined_event.discard", id)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
) -> web::Result<web::NoContent> {
    events.discard_quarantined(&caller, id).await?;
    Ok(web::NoContent)
}
