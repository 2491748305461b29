//! `GET /api/v1/api-keys/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, KeyId, Permission, Result};

use super::{Key, sql};
use crate::Access;

impl Access {
    /// One key. Errors: 403 `insufficient_scope`, 404.
    pub async fn get_key(&self, caller: &Caller, id: KeyId) -> Result<Key> {
        let scope = caller.allow(Permission::KeysRead)?;
        let tenant = scope.tenant();
        let (key, client) = self.store.read(scope, move |tx| sql::get(tx, tenant, id)).await?;
        Ok(self.show_key(key, client.fields.scopes.as_deref(), self.ambient.now()))
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
) -> web::Result<web::Json<Key>> {
    Ok(web::Json(access.get_key(&caller, id).await?))
}
