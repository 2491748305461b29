//! `connectors.list`: connectors that files describe, by slug.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result, TenantId};

use super::create::whose;
use super::sql::{self, Row};
use super::{CustomConnector, Source};
use crate::Integrations;

impl Integrations {
    /// A part of the tenant's own connectors, or of the operator's.
    pub async fn list_connectors(&self, caller: &Caller, page: PageRequest) -> Result<Page<CustomConnector>> {
        let (scope, tenant) = whose(caller, Permission::IntegrationsRead)?;
        let rows = self.parts.store.read(scope, move |tx| sql::all(tx, tenant)).await?;
        let total = u64::try_from(rows.len()).ok();
        let after = page.cursor.as_ref().map(|cursor| cursor.id.clone()).unwrap_or_default();
        let rest = rows.into_iter().filter(|row| row.connector > after);
        let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let most = usize::try_from(page.limit).unwrap_or(0) + 1;
        let found = rest.skip(skip).take(most).filter_map(|row| self.shown(tenant, row, false)).collect();
        Ok(Page::from_rows(found, &page, total, |row| Cursor { key: 0, id: row.id.clone() }))
    }

    pub(super) fn shown(&self, tenant: Option<TenantId>, row: Row, whole: bool) -> Option<CustomConnector> {
        let connector = self.compiled.of(tenant, &row)?;
        Some(CustomConnector {
            id: row.connector,
            version: row.version,
            source: if tenant.is_some() { Source::Tenant } else { Source::Operator },
            about: connector.about().clone(),
            manifest: whole.then_some(row.manifest),
            created_at: row.created_at,
        })
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<CustomConnector>>> {
    Ok(web::Json(integrations.list_connectors(&caller, page).await?))
}
