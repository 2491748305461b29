//! `DELETE /api/v1/tenants/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IdRef, Result, TenantId};
use store::Subject;

use super::sql;
use crate::{Access, tenants};

impl Access {
    /// Removes a tenant and everything of it, in every feature, in one transaction. Errors: 403 `operator_only`, 404.
    pub async fn delete_tenant(self: &Arc<Self>, caller: &Caller, reference: IdRef<TenantId>) -> Result<()> {
        let scope = caller.operate()?;
        let access = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let present = sql::lock(tx, &reference)?;
                let tenant = present.id;
                access.purge_elsewhere(tx, tenant, &Subject::Tenant)?;
                sql::delete(tx, tenant)?;
                tx.audit_change("tenant.delete", tenant, &present, &())?;
                tx.notify(tenants::TOPIC, tenant);
                Ok(())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<TenantId>>,
) -> web::Result<web::NoContent> {
    access.delete_tenant(&caller, reference).await?;
    Ok(web::NoContent)
}
