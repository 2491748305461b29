//! `rest_endpoints.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};

use super::{RestEndpoint, RestEndpoints, sql};

/// Later than every id of an endpoint.
const LAST: &str = "rep_~";

impl RestEndpoints {
    /// A part of the tenant's endpoints.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<RestEndpoint>> {
        let scope = caller.allow(Permission::EndpointsRead)?;
        let tenant = scope.tenant();
        let read = move |tx: &mut store::Tx<'_>| {
            let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
            let slug = access::tenants::slug(tx, tenant)?;
            let rows = sql::list(tx, tenant, before, page.limit + 1, page.offset())?;
            let total = sql::count(tx, tenant)?;
            let views = rows.into_iter().map(|row| row.view(&slug)).collect();
            Ok(Page::from_rows(views, &page, Some(total), |row: &RestEndpoint| Cursor {
                key: row.created_at.millis(),
                id: row.id.to_string(),
            }))
        };
        self.store.read(scope, read).await
    }
}

pub(super) async fn handle(
    State(endpoints): State<Arc<RestEndpoints>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<RestEndpoint>>> {
    Ok(web::Json(endpoints.list(&caller, page).await?))
}
