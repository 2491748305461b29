//! `integrations.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::{Integration, sql};
use crate::Integrations;

/// Later than every id of an integration.
const LAST: &str = "int_~";

/// Which integrations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    connector: Option<String>,
}

impl Integrations {
    /// A part of the tenant's integrations; of one connector, if it is named.
    pub async fn list(self: &Arc<Self>, caller: &Caller, connector: Option<String>, page: PageRequest) -> Result<Page<Integration>> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let (tenant, integrations) = (scope.tenant(), Arc::clone(self));
        self.parts
            .store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, connector.as_deref(), before, page.limit + 1, page.offset())?;
                let found = rows.into_iter().map(|row| {
                    let url = integrations.inbound_url(row.id);
                    Integration::of(row, url)
                });
                let total = sql::count(tx, tenant, connector.as_deref())?;
                let cursor = |row: &Integration| Cursor { key: row.created_at.millis(), id: row.id.to_string() };
                Ok(Page::from_rows(found.collect(), &page, Some(total), cursor))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<Filter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Integration>>> {
    Ok(web::Json(integrations.list(&caller, filter.connector, page).await?))
}
