//! `DELETE /api/v1/api-keys/{id}` and `DELETE /api/v1/api-clients/{id}/api-keys/{keyId}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, KeyId, Permission, Result};

use super::{KeyStatus, sql};
use crate::{Access, clients, keys};

impl Access {
    /// Revokes a key for good: it is refused from the moment this returns. `client` is the client that the path names, if it names one.
    /// Revoking twice is the same as once.
    ///
    /// Errors: 403 `insufficient_scope`, 404 (also for a key of another client than the named one).
    pub async fn revoke_key(&self, caller: &Caller, client: Option<IdRef<ClientId>>, id: KeyId) -> Result<()> {
        let scope = caller.allow(Permission::KeysWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let named = client.map(|client| clients::resolve(tx, tenant, &client)).transpose()?;
                let (key, _) = sql::hold(tx, tenant, id)?;
                if named.is_some_and(|client| client != key.client) {
                    return Err(Error::not_found("key"));
                }
                if key.status != KeyStatus::Revoked {
                    let now = tx.now();
                    sql::revoke(tx, tenant, id, now)?;
                    tx.audit("key.revoke", id)?;
                }
                tx.notify(keys::TOPIC, id);
                Ok(())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
) -> web::Result<web::NoContent> {
    access.revoke_key(&caller, None, id).await?;
    Ok(web::NoContent)
}

pub(crate) async fn handle_of_client(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<IdRef<ClientId>, KeyId>,
) -> web::Result<web::NoContent> {
    access.revoke_key(&caller, Some(client), id).await?;
    Ok(web::NoContent)
}
