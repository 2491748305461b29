//! `conflicts.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, RecordId, Result, SyncConfigId};
use serde::Deserialize;

use super::sql::{self, Narrow};
use super::{Conflict, ConflictState};
use crate::Syncs;

/// Later than every id of a conflict.
const LAST: &str = "cfl_~";

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictFilter {
    /// Only those of this sync.
    #[serde(default)]
    pub sync_id: Option<SyncConfigId>,
    /// Only those of this record.
    #[serde(default)]
    pub record_id: Option<RecordId>,
    /// Only those that stand so.
    #[serde(default)]
    pub status: Option<ConflictState>,
}

impl Syncs {
    /// A part of the tenant's conflicts. Error: 403 `insufficient_scope`.
    pub async fn list_conflicts(&self, caller: &Caller, filter: ConflictFilter, page: PageRequest) -> Result<Page<Conflict>> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let narrow = Narrow { sync: filter.sync_id, record: filter.record_id, state: filter.status };
                let rows = sql::list(tx, tenant, &narrow, before, page.limit + 1, page.offset())?;
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<ConflictFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Conflict>>> {
    Ok(web::Json(syncs.list_conflicts(&caller, filter, page).await?))
}
