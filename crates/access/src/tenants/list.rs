//! `GET /api/v1/tenants`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Result};
use serde::Deserialize;

use super::{Tenant, TenantStatus, sql};
use crate::{Access, rules};

/// Which tenants are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantFilter {
    /// Only these.
    pub status: Option<TenantStatus>,
    /// Only those whose name or slug contains this, whatever the case.
    pub search: Option<String>,
}

impl Access {
    /// Tenants, newest first; the first page and numbered pages tell the total. Errors: 403 `operator_only`, 422 `validation_failed`.
    pub async fn list_tenants(&self, caller: &Caller, filter: TenantFilter, page: PageRequest) -> Result<Page<Tenant>> {
        let scope = caller.operate()?;
        let values = [filter.status.map(TenantStatus::as_str).into(), rules::search_pattern(filter.search.as_deref())?.into()];
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or("~", |cursor| cursor.id.as_str());
                let rows = sql::list(tx, &values, before, page.limit + 1, page.offset())?;
                let total = if page.cursor.is_none() { Some(sql::count(tx, &values)?) } else { None };
                Ok(Page::from_rows(rows, &page, total, |tenant| Cursor { key: 0, id: tenant.id.to_string() }))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<TenantFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Tenant>>> {
    Ok(web::Json(access.list_tenants(&caller, filter, page).await?))
}
