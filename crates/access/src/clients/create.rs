//! `POST /api/v1/api-clients`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, TenantId};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::fields::Fields;
use super::{Client, ClientInput, ClientStatus, Stored, sql};
use crate::credentials::Purpose;
use crate::keys::token;
use crate::{Access, errors, tenants};

/// A client with its secret, this once.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientWithSecret {
    /// The client.
    #[serde(flatten)]
    pub client: Client,
    /// Its OAuth secret, if it is confidential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

impl Access {
    /// Makes a client. Its secret is in this answer only.
    ///
    /// Errors: 403 `insufficient_scope`, 404 for a tenant that is not the caller's, 409 `external_id_taken`, 422 `validation_failed`,
    /// `unknown_scope`, `scope_exceeds_client`.
    pub async fn create_client(self: &Arc<Self>, caller: &Caller, input: ClientInput) -> Result<ClientWithSecret> {
        let caller = self.acting_for(caller, input.tenant_id.as_deref()).await?;
        let scope = caller.allow(Permission::ClientsWrite)?;
        let tenant = scope.tenant();
        let fields = Fields::of(input, None, &self.blueprint)?;
        fields.check(&caller, None, &self.blueprint)?;
        let access = Arc::clone(self);
        errors::taken_meanwhile(self.store.answer(scope, move |tx| access.insert_client(tx, &caller, tenant, fields)).await)
    }

    pub(super) fn insert_client(&self, tx: &mut Tx<'_>, caller: &Caller, tenant: TenantId, fields: Fields) -> Result<ClientWithSecret> {
        tenants::sql::hold(tx, tenant)?;
        let now = tx.now();
        let suspended_by_operator = fields.status == ClientStatus::Suspended && !caller.is_bound_by_scopes();
        let client = Stored { id: tx.ambient().id(), tenant, fields, suspended_by_operator, created_at: now, updated_at: now };
        check_free(tx, &client)?;
        let secret = client.fields.confidential.then(|| self.new_client_secret());
        sql::insert(tx, &client, secret.as_ref().map(|secret| self.pepper.hash(Purpose::ClientSecret, secret)))?;
        for lifecycle in &self.lifecycles {
            lifecycle.client_created(tx, tenant, client.id)?;
        }
        let client = client.show(&self.blueprint);
        tx.audit_change("client.create", client.id, &(), &client)?;
        Ok(ClientWithSecret { client, client_secret: secret })
    }

    /// `<prefix>cs_` and 256 bits.
    pub(super) fn new_client_secret(&self) -> String {
        format!("{}cs_{}", self.blueprint.keys.prefix, token::random_secret(&self.ambient).reveal())
    }
}

/// Whether the external id is free for this client.
pub(super) fn check_free(tx: &mut Tx<'_>, client: &Stored) -> Result<()> {
    match &client.fields.external_id {
        Some(external) if sql::is_external_id_taken(tx, client.tenant, external, client.id)? => Err(errors::external_id_taken("client")),
        _ => Ok(()),
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ClientInput>,
) -> web::Result<web::Created<ClientWithSecret>> {
    let body = access.create_client(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/api-clients/{}", body.client.id), body })
}
