//! `events.list`: the tenant's events, the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Error, Page, PageRequest, Permission, Result, TenantId, Timestamp};
use serde::Deserialize;
use store::{Tx, Value};

use crate::view::{self, EventView};
use crate::{Events, sql};

/// Which events are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventFilter {
    /// Only this type.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Only those accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Only those accepted before this time.
    pub to: Option<Timestamp>,
}

impl Events {
    /// A part of the tenant's events, the newest first. Pages are reached by cursor only.
    pub async fn list(&self, caller: &Caller, filter: EventFilter, page: PageRequest) -> Result<Page<EventView>> {
        let scope = caller.allow(Permission::EventsRead)?;
        let tenant = scope.tenant();
        if page.page.is_some() {
            return Err(Error::field("/page", "this list goes on by cursor only"));
        }
        self.store.read(scope, move |tx| select(tx, tenant, &filter, &page)).await
    }
}

fn select(tx: &mut Tx<'_>, tenant: TenantId, filter: &EventFilter, page: &PageRequest) -> Result<Page<EventView>> {
    let mut params: Vec<Value> = vec![tenant.into()];
    let mut place = |value: Value| {
        params.push(value);
        params.len()
    };
    let mut conditions = String::new();
    if let Some(event_type) = &filter.event_type {
        conditions += &format!(" AND e.event_type = ?{}", place(event_type.into()));
    }
    if let Some(from) = filter.from {
        conditions += &format!(" AND e.created_at >= ?{}", place(from.into()));
    }
    if let Some(to) = filter.to {
        conditions += &format!(" AND e.created_at < ?{}", place(to.into()));
    }
    if let Some(cursor) = &page.cursor {
        let (at, id) = (place(cursor.key.into()), place((&cursor.id).into()));
        conditions += &format!(" AND (e.created_at, e.id) < (?{at}, ?{id})");
    }
    let limit = place((page.limit + 1).into());
    let statement = format!(
        "SELECT {} FROM events e WHERE e.tenant_id = ?1{conditions} ORDER BY e.created_at DESC, e.id DESC LIMIT ?{limit}",
        sql::view_columns()
    );
    let rows = tx.query(&statement, &params, view::read)?;
    Ok(Page::from_rows(rows, page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<EventFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<EventView>>> {
    Ok(web::Json(events.list(&caller, filter, page).await?))
}
