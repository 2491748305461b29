//! `integrations.delete`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, IntegrationId, Permission, Result};

use super::sql;
use crate::{Integrations, TOPIC};

impl Integrations {
    /// Deletes an integration, its credentials and its log. A token in the vault stays.
    ///
    /// Errors: 404; 409, where something that needs it says so.
    pub async fn delete(self: &Arc<Self>, caller: &Caller, id: IntegrationId) -> Result<()> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let (tenant, integrations) = (scope.tenant(), Arc::clone(self));
        self.parts
            .store
            .answer(scope, move |tx| {
                super::get_row(tx, tenant, id)?;
                if let Some(sink) = integrations.hints.get() {
                    sink.removing(tx, tenant, id)?;
                }
                if sql::delete(tx, tenant, id)? == 0 {
                    return Err(Error::not_found("integration"));
                }
                tx.audit("integration.delete", id)?;
                tx.notify(TOPIC, id);
                Ok(())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
) -> web::Result<web::NoContent> {
    integrations.delete(&caller, id).await?;
    Ok(web::NoContent)
}
