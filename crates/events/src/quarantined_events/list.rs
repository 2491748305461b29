//! `quarantined_events.list`: publications that are kept apart, the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Error, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::{QuarantinedEventView, sql};
use crate::Events;

/// Which are listed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Filter {
    #[serde(rename = "type")]
    event_type: Option<String>,
}

impl Events {
    /// A part of what is kept apart of the tenant, the newest first. Pages are reached by cursor only.
    pub async fn list_quarantined(
        &self,
        caller: &Caller,
        event_type: Option<String>,
        page: PageRequest,
    ) -> Result<Page<QuarantinedEventView>> {
        let scope = caller.allow(Permission::EventsRead)?;
        let tenant = scope.tenant();
        if page.page.is_some() {
            return Err(Error::field("/page", "this list goes on by cursor only"));
        }
        self.store
            .read(scope, move |tx| {
                let after = page.cursor.as_ref().map(|cursor| (cursor.key, cursor.id.as_str()));
                let rows = sql::select(tx, tenant, event_type.as_deref(), after, page.limit + 1)?;
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.held_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<Filter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<QuarantinedEventView>>> {
    Ok(web::Json(events.list_quarantined(&caller, filter.event_type, page).await?))
}
