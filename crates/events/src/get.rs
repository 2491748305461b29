//! `events.get`: one event.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, EventId, Permission, Result, TenantId};
use store::Tx;

use crate::view::{self, EventView};
use crate::{Events, MAX_PAIRS, Pair, sql};

impl Events {
    /// One event of the caller's tenant, with what became of it. Error: 404.
    pub async fn get(&self, caller: &Caller, id: EventId) -> Result<EventView> {
        let scope = caller.allow(Permission::EventsRead)?;
        let tenant = scope.tenant();
        let intake = Arc::clone(&self.intake);
        let found = self.store.read(scope, move |tx| {
            let Some(mut event) = find(tx, tenant, &id)? else { return Ok(None) };
            if let Some(planner) = intake.planner.get() {
                let kept_apart = event.filtered.iter().map(|webhook| Pair {
                    webhook_id: *webhook,
                    delivery_id: None,
                    status: "skipped".to_owned(),
                    reason: Some("filtered".to_owned()),
                });
                let mut pairs = planner.pairs(tx, tenant, &id)?;
                // One that a filter kept apart may have got it later, by a replay.
                let kept_apart: Vec<Pair> = kept_apart.filter(|one| !pairs.iter().any(|pair| pair.webhook_id == one.webhook_id)).collect();
                pairs.extend(kept_apart);
                pairs.truncate(usize::try_from(MAX_PAIRS).unwrap_or(usize::MAX));
                event.pairs = Some(pairs);
            }
            Ok(Some(event))
        });
        found.await?.ok_or_else(|| Error::not_found("event"))
    }
}

/// The event of this id.
pub(crate) fn find(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<Option<EventView>> {
    let statement = format!(
        "SELECT {} FROM event_ids i \
         JOIN events e ON e.tenant_id = i.tenant_id AND e.created_at = i.created_at AND e.id = i.id WHERE i.tenant_id = ?1 AND i.id = ?2",
        sql::view_columns()
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
