//! `sources.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result, TenantId};
use store::Tx;

use super::{Source, sql};
use crate::Sources;

/// Later than every id of a source.
const LAST: &str = "src_~";

impl Sources {
    /// A part of the tenant's sources.
    pub async fn list(self: &Arc<Self>, caller: &Caller, page: PageRequest) -> Result<Page<Source>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let (tenant, sources) = (scope.tenant(), Arc::clone(self));
        self.store.read(scope, move |tx| sources.select_page(tx, tenant, &page)).await
    }

    fn select_page(&self, tx: &mut Tx<'_>, tenant: TenantId, page: &PageRequest) -> Result<Page<Source>> {
        let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
        let mut found = Vec::new();
        for row in sql::list(tx, tenant, before, page.limit + 1, page.offset())? {
            let (secrets, url) = (sql::secrets(tx, tenant, row.id)?, self.url(row.id));
            found.push(Source::of(row, &secrets, url, tx.now()));
        }
        let total = sql::count(tx, tenant)?;
        Ok(Page::from_rows(found, page, Some(total), |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Source>>> {
    Ok(web::Json(sources.list(&caller, page).await?))
}
