//! `PUT /api/v1/api-clients/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Permission, Result};

use super::fields::Fields;
use super::{Client, ClientInput, sql};
use crate::{Access, errors};

impl Access {
    /// Replaces what a client is: what the body does not name gets its default, except the external id, the status, `dualAuth` and
    /// `confidential`, which stay.
    ///
    /// Errors: those of [`Access::create_client`], 404.
    pub async fn replace_client(self: &Arc<Self>, caller: &Caller, reference: IdRef<ClientId>, input: ClientInput) -> Result<Client> {
        let caller = self.acting_for(caller, input.tenant_id.as_deref()).await?;
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        let outcome = self.store.answer(scope, move |tx| {
            let present = sql::hold(tx, tenant, &reference)?;
            let says_status = input.status.is_some();
            let fields = Fields::of(input, Some(&present.fields), &access.blueprint)?;
            access.change_client(tx, &caller, &present, fields, says_status, "client.replace")
        });
        errors::taken_meanwhile(outcome.await)
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
    web::Json(input): web::Json<ClientInput>,
) -> web::Result<web::Json<Client>> {
    Ok(web::Json(access.replace_client(&caller, reference, input).await?))
}
