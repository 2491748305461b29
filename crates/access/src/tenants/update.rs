//! `PATCH /api/v1/tenants/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IdRef, Result, TenantId};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::Patch;

use super::create::check_free;
use super::{Tenant, TenantStatus, fields, sql};
use crate::errors;
use crate::rules::required;
use crate::{Access, tenants};

/// What changes; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateTenant {
    /// Its name.
    pub name: Patch<String>,
    /// The host's id for it; null removes it.
    pub external_id: Patch<String>,
    /// Its name in addresses.
    pub slug: Patch<String>,
    /// Suspending refuses its credentials at once.
    pub status: Patch<TenantStatus>,
    /// The host's own data, as a whole; null empties it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<Map<String, Value>>,
    /// Settings, as a whole; null empties them.
    #[schema(value_type = Option<Object>)]
    pub settings: Patch<Map<String, Value>>,
}

impl UpdateTenant {
    fn apply(self, tenant: Tenant) -> Result<Tenant> {
        Ok(Tenant {
            name: required("/name", self.name)?.unwrap_or(tenant.name),
            external_id: self.external_id.apply(tenant.external_id),
            slug: required("/slug", self.slug)?.unwrap_or(tenant.slug),
            status: required("/status", self.status)?.unwrap_or(tenant.status),
            metadata: self.metadata.apply(Some(tenant.metadata)).unwrap_or_default(),
            settings: self.settings.apply(Some(tenant.settings)).unwrap_or_default(),
            ..tenant
        })
    }
}

impl Access {
    /// Changes a tenant. Errors: 403 `operator_only`, 404, 409 `external_id_taken`, 409 `slug_taken`, 422 `validation_failed`.
    pub async fn update_tenant(&self, caller: &Caller, reference: IdRef<TenantId>, change: UpdateTenant) -> Result<Tenant> {
        let scope = caller.operate()?;
        let outcome = self.store.answer(scope, move |tx| {
            let before = sql::lock(tx, &reference)?;
            let mut tenant = change.apply(before.clone())?;
            fields::check(&tenant)?;
            check_free(tx, &tenant, false)?;
            tenant.updated_at = tx.now();
            sql::update(tx, &tenant)?;
            tx.audit_change("tenant.update", tenant.id, &before, &tenant)?;
            tx.notify(tenants::TOPIC, tenant.id);
            Ok(tenant)
        });
        errors::taken_meanwhile(outcome.await)
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<TenantId>>,
    web::Json(change): web::Json<UpdateTenant>,
) -> web::Result<web::Json<Tenant>> {
    Ok(web::Json(access.update_tenant(&caller, reference, change).await?))
}
