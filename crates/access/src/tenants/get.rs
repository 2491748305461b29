//! `GET /api/v1/tenants/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IdRef, Result, TenantId};

use super::{Tenant, sql};
use crate::Access;

impl Access {
    /// One tenant. Errors: 403 `operator_only`, 404.
    pub async fn get_tenant(&self, caller: &Caller, reference: IdRef<TenantId>) -> Result<Tenant> {
        let scope = caller.operate()?;
        self.store.read(scope, move |tx| sql::get(tx, &reference)).await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<TenantId>>,
) -> web::Result<web::Json<Tenant>> {
    Ok(web::Json(access.get_tenant(&caller, reference).await?))
}
