//! `GET /api/v1/api-clients/{id}/quota`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, IdRef, Result};

use super::QuotaUses;
use crate::Gate;
use crate::limits::Quota;

impl Gate {
    /// What all keys of a client have used of its quota. Errors: 403 `insufficient_scope`, 404; those of the store.
    pub async fn quota_uses_of_client(&self, caller: &Caller, reference: IdRef<ClientId>) -> Result<QuotaUses> {
        let client = self.access.get_client(caller, reference).await?;
        let mut quotas = Vec::new();
        if let Some(own) = self.quota_of_client(&client) {
            quotas.push(self.standing_of(&Quota::of_client(client.tenant_id, client.id, own)).await?);
        }
        Ok(QuotaUses { client_id: client.id, api_key_id: None, quotas })
    }
}

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
) -> web::Result<web::Json<QuotaUses>> {
    Ok(web::Json(gate.quota_uses_of_client(&caller, reference).await?))
}
