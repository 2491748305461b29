//! `GET /api/v1/api-clients`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};
use serde::Deserialize;

use super::{Client, ClientStatus, sql};
use crate::{Access, rules};

/// Which clients are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientFilter {
    /// Only these.
    pub status: Option<ClientStatus>,
    /// Only those of this tier.
    pub rate_limit_tier: Option<String>,
    /// Only those with this contact, whatever the case.
    pub contact_email: Option<String>,
    /// Only those whose name or e-mail address contains this, whatever the case.
    pub search: Option<String>,
}

impl Access {
    /// A tenant's clients, newest first; the first page and numbered pages tell the total.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn list_clients(&self, caller: &Caller, filter: ClientFilter, page: PageRequest) -> Result<Page<Client>> {
        let scope = caller.allow(Permission::ClientsRead)?;
        let values: sql::Filter = [
            scope.tenant().into(),
            filter.status.map(ClientStatus::as_str).into(),
            filter.rate_limit_tier.into(),
            self.blueprint.default_tier.as_str().into(),
            filter.contact_email.into(),
            rules::search_pattern(filter.search.as_deref())?.into(),
        ];
        let rows = self.store.read(scope, move |tx| {
            let before = page.cursor.as_ref().map_or("~", |cursor| cursor.id.as_str());
            let rows = sql::list(tx, &values, before, page.limit + 1, page.offset())?;
            let total = if page.cursor.is_none() { Some(sql::count(tx, &values)?) } else { None };
            Ok(Page::from_rows(rows, &page, total, |client| Cursor { key: 0, id: client.id.to_string() }))
        });
        Ok(rows.await?.map(|client| client.show(&self.blueprint)))
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<ClientFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Client>>> {
    Ok(web::Json(access.list_clients(&caller, filter, page).await?))
}
