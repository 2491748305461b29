//! `sync_configs.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, IntegrationId, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::{SyncConfig, sql};
use crate::Syncs;

/// Later than every id of a sync.
const LAST: &str = "syn_~";

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigFilter {
    /// Only those of this integration.
    #[serde(default)]
    pub integration_id: Option<IntegrationId>,
}

impl Syncs {
    /// A part of the tenant's syncs. Error: 403 `insufficient_scope`.
    pub async fn list_configs(&self, caller: &Caller, filter: ConfigFilter, page: PageRequest) -> Result<Page<SyncConfig>> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, filter.integration_id, before, page.limit + 1, page.offset())?;
                let rows: Vec<SyncConfig> = rows.into_iter().map(|row| row.config).collect();
                Ok(Page::from_rows(rows, &page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<ConfigFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<SyncConfig>>> {
    Ok(web::Json(syncs.list_configs(&caller, filter, page).await?))
}
