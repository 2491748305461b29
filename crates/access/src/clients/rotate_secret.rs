//! `POST /api/v1/api-clients/{id}/rotate-secret`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result};

use super::{ClientWithSecret, Stored, sql};
use crate::credentials::Purpose;
use crate::{Access, clients, scopes};

impl Access {
    /// Gives a confidential client a new secret; the old one ends at once.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `client_not_confidential`, 422 `scope_exceeds_client` when the client has more than the caller.
    pub async fn rotate_client_secret(self: &Arc<Self>, caller: &Caller, reference: IdRef<ClientId>) -> Result<ClientWithSecret> {
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let client = sql::hold(tx, tenant, &reference)?;
                scopes::within_caller(&caller, &scopes::of_client(&access.blueprint, client.fields.scopes.as_deref()))?;
                if !client.fields.confidential {
                    return Err(Error::conflict("client_not_confidential", "This client is public: it has no secret."));
                }
                let secret = access.new_client_secret();
                let now = tx.now();
                sql::set_secret(tx, tenant, client.id, Some(access.pepper.hash(Purpose::ClientSecret, &secret)), now)?;
                tx.audit("client.rotate_secret", client.id)?;
                tx.notify(clients::TOPIC, client.id);
                let client = Stored { updated_at: now, ..client }.show(&access.blueprint);
                Ok(ClientWithSecret { client, client_secret: Some(secret) })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
) -> web::Result<web::Json<ClientWithSecret>> {
    Ok(web::Json(access.rotate_client_secret(&caller, reference).await?))
}
