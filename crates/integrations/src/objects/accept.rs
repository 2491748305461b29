//! `integrations.objects.accept`: an object is well as it is today; from now on drift is told from here.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IntegrationId, Permission, Result};

use super::{Described, sql};
use crate::Integrations;

impl Integrations {
    /// Asks the vendor for an object's fields and accepts them. Errors: as [`Integrations::describe`].
    pub async fn accept(self: &Arc<Self>, caller: &Caller, id: IntegrationId, object: &str) -> Result<Described> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let (schema, _) = self.schema(&scope, id, object).await?;
        let tenant = scope.tenant();
        self.parts
            .store
            .answer(scope, move |tx| {
                crate::integrations::get_row(tx, tenant, id)?;
                sql::put(tx, tenant, id, &schema, true)?;
                tx.audit("integration.accept_object", format!("{id}/{}", schema.object))?;
                Ok(Described { schema, proposed_mappings: None, drift: None, accepted_at: tx.now() })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path2(id, object): web::Path2<IntegrationId, String>,
) -> web::Result<web::Json<Described>> {
    Ok(web::Json(integrations.accept(&caller, id, &object).await?))
}
