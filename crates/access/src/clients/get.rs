//! `GET /api/v1/api-clients/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Permission, Result};

use super::{Client, sql};
use crate::Access;

impl Access {
    /// One client. Errors: 403 `insufficient_scope`, 404.
    pub async fn get_client(&self, caller: &Caller, reference: IdRef<ClientId>) -> Result<Client> {
        let scope = caller.allow(Permission::ClientsRead)?;
        let tenant = scope.tenant();
        let client = self.store.read(scope, move |tx| sql::get(tx, tenant, &reference)).await?;
        Ok(client.show(&self.blueprint))
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
) -> web::Result<web::Json<Client>> {
    Ok(web::Json(access.get_client(&caller, reference).await?))
}
