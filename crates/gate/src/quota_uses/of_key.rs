//! `GET /api/v1/api-keys/{id}/quota`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IdRef, KeyId, Permission, Result};

use super::QuotaUses;
use crate::Gate;
use crate::limits::Quota;

impl Gate {
    /// What was used of the quotas that bind a key: its client's, if the caller may see clients, and its own.
    ///
    /// Errors: 403 `insufficient_scope`, 404; those of the store.
    pub async fn quota_uses_of_key(&self, caller: &Caller, id: KeyId) -> Result<QuotaUses> {
        let key = self.access.get_key(caller, id).await?;
        let tenant = caller.tenant_scope()?.tenant();
        let mut quotas = Vec::new();
        if caller.permissions().holds(Permission::ClientsRead) {
            quotas = self.quota_uses_of_client(caller, IdRef::Id(key.client_id)).await?.quotas;
        }
        if let Some(own) = key.monthly_quota {
            quotas.push(self.standing_of(&Quota::of_key(tenant, key.lineage_id.to_string().into(), own)).await?);
        }
        Ok(QuotaUses { client_id: key.client_id, api_key_id: Some(key.id), quotas })
    }
}

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
) -> web::Result<web::Json<QuotaUses>> {
    Ok(web::Json(gate.quota_uses_of_key(&caller, id).await?))
}
