//! `sync_configs.runs` and `sync_runs.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result, SyncConfigId};

use super::{SyncRun, sql};
use crate::{Syncs, configs};

/// Later than every id of a run.
const LAST: &str = "run_~";

impl Syncs {
    /// A part of the runs of one sync, or of all. Errors: 403 `insufficient_scope`; 404.
    pub async fn list_runs(&self, caller: &Caller, sync: Option<SyncConfigId>, page: PageRequest) -> Result<Page<SyncRun>> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                if let Some(sync) = sync {
                    configs::sql::get(tx, tenant, sync)?;
                }
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, sync, before, page.limit + 1, page.offset())?;
                let rows: Vec<SyncRun> = rows.iter().map(super::Row::view).collect();
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn of_config(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<SyncRun>>> {
    Ok(web::Json(syncs.list_runs(&caller, Some(id), page).await?))
}

pub(crate) async fn all(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<SyncRun>>> {
    Ok(web::Json(syncs.list_runs(&caller, None, page).await?))
}
