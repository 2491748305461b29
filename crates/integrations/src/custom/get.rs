//! `connectors.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result};

use super::create::whose;
use super::{CustomConnector, sql};
use crate::Integrations;

impl Integrations {
    /// One connector with its file: the version that holds. Error: 404.
    pub async fn get_connector(&self, caller: &Caller, id: String) -> Result<CustomConnector> {
        let (scope, tenant) = whose(caller, Permission::IntegrationsRead)?;
        let row = self.parts.store.read(scope, move |tx| sql::latest(tx, tenant, &id)).await?;
        row.and_then(|row| self.shown(tenant, row, true)).ok_or_else(|| Error::not_found("connector"))
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<String>,
) -> web::Result<web::Json<CustomConnector>> {
    Ok(web::Json(integrations.get_connector(&caller, id).await?))
}
