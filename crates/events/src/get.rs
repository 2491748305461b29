//! `events.get`: one event.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, EventId, Permission, Result, TenantId};
use store::Tx;

use crate::view::{self, EventView};
use crate::{Events, sql};

impl Events {
    /// One event of the caller's tenant. Error: 404.
    pub async fn get(&self, caller: &Caller, id: EventId) -> Result<EventView> {
        let scope = caller.allow(Permission::EventsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| find(tx, tenant, &id)).await?.ok_or_else(|| Error::not_found("event"))
    }
}

fn find(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<Option<EventView>> {
    let statement = format!(
        "SELECT {}, e.deliveries, e.filtered FROM event_ids i \
         JOIN events e ON e.tenant_id = i.tenant_id AND e.created_at = i.created_at AND e.id = i.id WHERE i.tenant_id = ?1 AND i.id = ?2",
        sql::EVENT_COLUMNS
    );
    tx.query_opt(&statement, &[tenant.into(), id.into()], view::read)
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
) -> web::Result<web::Json<EventView>> {
    Ok(web::Json(events.get(&caller, id).await?))
}
