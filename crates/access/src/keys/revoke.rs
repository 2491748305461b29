//! `DELETE /api/v1/api-keys/{id}` and `DELETE /api/v1/api-clients/{id}/api-keys/{keyId}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, KeyId, Permission, Result};
use serde_json::json;

use super::{KeyStatus, sql};
use crate::{Access, clients, keys};

impl Access {
    /// Revokes a key for good: it is refused from the moment this returns. `client` is the client that the path names, if it names one.
    /// Revoking twice is the same as once.
    ///
    /// Errors: 403 `insufficient_scope`, 404 (also for a key of another client than the named one).
    pub async fn revoke_key(self: &Arc<Self>, caller: &Caller, client: Option<IdRef<ClientId>>, id: KeyId) -> Result<()> {
        let scope = caller.allow(Permission::KeysWrite)?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        self.store
            .answer(scope, move |tx| {
                let named = client.map(|client| clients::resolve(tx, tenant, &client)).transpose()?;
                let (mut key, _) = sql::hold(tx, tenant, id)?;
                if named.is_some_and(|client| client != key.client) {
                    return Err(Error::not_found("key"));
                }
                if key.status != KeyStatus::Revoked {
                    let before = key.status;
                    key.status = KeyStatus::Revoked;
                    key.updated_at = tx.now();
                    sql::update(tx, &key)?;
                    tx.audit_change("key.revoke", id, &json!({"status": before}), &json!({"status": key.status}))?;
                    access.report(tx, &key, events::API_KEY_REVOKED, |_| ())?;
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
