//! `DELETE /api/v1/api-clients/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Permission, Result};
use store::Subject;

use super::sql;
use crate::{Access, clients};

impl Access {
    /// Removes a client with its keys, and what other features keep for it, in one transaction. Errors: 403 `insufficient_scope`, 404.
    pub async fn delete_client(self: &Arc<Self>, caller: &Caller, reference: IdRef<ClientId>) -> Result<()> {
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        self.store
            .answer(scope, move |tx| {
                let present = sql::hold(tx, tenant, &reference)?.show(&access.blueprint);
                let client = present.id;
                access.purge_elsewhere(tx, tenant, &Subject::Client(client))?;
                sql::delete(tx, tenant, client)?;
                tx.audit_change("client.delete", client, &present, &())?;
                tx.notify(clients::TOPIC, client);
                Ok(())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
) -> web::Result<web::NoContent> {
    access.delete_client(&caller, reference).await?;
    Ok(web::NoContent)
}
