//! `GET /api/v1/api-clients/{id}/api-keys`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Cursor, IdRef, Page, PageRequest, Permission, Result};

use super::{Key, sql};
use crate::{Access, clients};

impl Access {
    /// A client's keys, newest first, revoked ones too. Errors: 403 `insufficient_scope`, 404.
    pub async fn list_keys(&self, caller: &Caller, client: IdRef<ClientId>, page: PageRequest) -> Result<Page<Key>> {
        let scope = caller.allow(Permission::KeysRead)?;
        let tenant = scope.tenant();
        let read = self.store.read(scope, move |tx| {
            let client = clients::sql::get(tx, tenant, &client)?;
            let before = page.cursor.as_ref().map_or("~", |cursor| cursor.id.as_str());
            let rows = sql::list(tx, tenant, client.id, before, page.limit + 1, page.offset())?;
            let total = if page.cursor.is_none() { Some(sql::count(tx, tenant, client.id)?) } else { None };
            Ok((client, Page::from_rows(rows, &page, total, |key| Cursor { key: 0, id: key.id.to_string() })))
        });
        let (client, rows) = read.await?;
        let now = self.ambient.now();
        Ok(rows.map(|key| self.show_key(key, client.fields.scopes.as_deref(), now)))
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(client): web::Path<IdRef<ClientId>>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Key>>> {
    Ok(web::Json(access.list_keys(&caller, client, page).await?))
}
