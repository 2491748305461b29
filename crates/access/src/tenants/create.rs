//! `POST /api/v1/tenants`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::Tx;

use super::{Tenant, TenantStatus, fields, sql};
use crate::{Access, errors};

/// How often a tenant is written at most: each time, somebody else has taken what it needs, and let go of it again.
const ATTEMPTS: u32 = 3;

/// What a new tenant is made of.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateTenant {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The host's id for it.
    pub external_id: Option<String>,
    /// Its name in addresses; made of the name when absent.
    pub slug: Option<String>,
    /// Default: active.
    #[serde(default)]
    pub status: TenantStatus,
    /// The host's own data.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

impl Access {
    /// Makes a tenant. The other features are told in the same transaction.
    ///
    /// Errors: 403 `operator_only`, 409 `external_id_taken`, 409 `slug_taken`, 422 `validation_failed`.
    pub async fn create_tenant(self: &Arc<Self>, caller: &Caller, input: CreateTenant) -> Result<Tenant> {
        let scope = caller.operate()?;
        let access = Arc::clone(self);
        let chosen_slug = input.slug.is_some();
        let now = self.ambient.now();
        let tenant = Tenant {
            id: self.ambient.id(),
            external_id: input.external_id,
            slug: input.slug.unwrap_or_else(|| fields::slug_of(&input.name)),
            name: input.name,
            status: input.status,
            metadata: input.metadata,
            settings: input.settings,
            created_at: now,
            updated_at: now,
        };
        fields::check(&tenant)?;
        errors::taken_meanwhile(self.store.answer(scope, move |tx| access.insert_tenant(tx, tenant, chosen_slug)).await)
    }

    fn insert_tenant(&self, tx: &mut Tx<'_>, mut tenant: Tenant, chosen_slug: bool) -> Result<Tenant> {
        check_free(tx, &tenant, !chosen_slug)?;
        let plain = tenant.slug.clone();
        if !chosen_slug && sql::is_slug_taken(tx, &plain, tenant.id)? {
            tenant.slug = fields::varied(&plain, tx.ambient());
        }
        let mut attempts = 1;
        while !sql::insert(tx, &tenant)? {
            // Whoever made one of the same name at this moment was not there to be seen before; now it is.
            check_free(tx, &tenant, !chosen_slug)?;
            if attempts == ATTEMPTS {
                return Err(errors::made_meanwhile());
            }
            attempts += 1;
            if !chosen_slug {
                tenant.slug = fields::varied(&plain, tx.ambient());
            }
        }
        for lifecycle in &self.lifecycles {
            lifecycle.tenant_created(tx, tenant.id, &tenant.name)?;
        }
        tx.audit_change("tenant.create", tenant.id, &(), &tenant)?;
        Ok(tenant)
    }
}

/// Whether the external id and the slug are free for this tenant.
pub(super) fn check_free(tx: &mut Tx<'_>, tenant: &Tenant, any_slug: bool) -> Result<()> {
    if let Some(external) = &tenant.external_id
        && sql::is_external_id_taken(tx, external, tenant.id)?
    {
        return Err(errors::external_id_taken("tenant"));
    }
    if !any_slug && sql::is_slug_taken(tx, &tenant.slug, tenant.id)? {
        return Err(Error::conflict("slug_taken", "Another tenant has this slug.").at("/slug", "is taken"));
    }
    Ok(())
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CreateTenant>,
) -> web::Result<web::Created<Tenant>> {
    let tenant = access.create_tenant(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/tenants/{}", tenant.id), body: tenant })
}
