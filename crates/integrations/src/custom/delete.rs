//! `connectors.delete`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result};

use super::create::whose;
use super::sql;
use crate::Integrations;
use crate::integrations::sql as integrations;

impl Integrations {
    /// Deletes a connector with all of its versions, if no integration uses it.
    ///
    /// Errors: 404; 409 `connector_in_use`.
    pub async fn delete_connector(&self, caller: &Caller, id: String) -> Result<()> {
        let (scope, tenant) = whose(caller, Permission::IntegrationsWrite)?;
        self.parts
            .store
            .answer(scope, move |tx| {
                sql::latest(tx, tenant, &id)?.ok_or_else(|| Error::not_found("connector"))?;
                let used = match tenant {
                    Some(tenant) => integrations::count(tx, tenant, Some(&id))? > 0,
                    None => integrations::uses_connector(tx, &id)?,
                };
                if used {
                    let detail = "Integrations use this connector. Delete them first.";
                    return Err(Error::conflict("connector_in_use", detail));
                }
                sql::delete(tx, tenant, &id)?;
                tx.audit("connector.delete", &id)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<String>,
) -> web::Result<web::NoContent> {
    integrations.delete_connector(&caller, id).await?;
    Ok(web::NoContent)
}
