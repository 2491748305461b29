//! `integrations.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, IntegrationId, Permission, Result};

use super::{Integration, get_row};
use crate::Integrations;

impl Integrations {
    /// One integration. Error: 404.
    pub async fn get(self: &Arc<Self>, caller: &Caller, id: IntegrationId) -> Result<Integration> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let (tenant, url) = (scope.tenant(), self.inbound_url(id));
        self.parts.store.read(scope, move |tx| Ok(Integration::of(get_row(tx, tenant, id)?, url))).await
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
) -> web::Result<web::Json<Integration>> {
    Ok(web::Json(integrations.get(&caller, id).await?))
}
