//! `rest_endpoints.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, RestEndpointId, Result};

use super::{RestEndpoint, RestEndpoints, sql};

impl RestEndpoints {
    /// One endpoint. Error: 404.
    pub async fn get(&self, caller: &Caller, id: RestEndpointId) -> Result<RestEndpoint> {
        let scope = caller.allow(Permission::EndpointsRead)?;
        let tenant = scope.tenant();
        let read = move |tx: &mut store::Tx<'_>| {
            let row = sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("REST endpoint"))?;
            Ok(row.view(&access::tenants::slug(tx, tenant)?))
        };
        self.store.read(scope, read).await
    }
}

pub(super) async fn handle(
    State(endpoints): State<Arc<RestEndpoints>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<RestEndpointId>,
) -> web::Result<web::Json<RestEndpoint>> {
    Ok(web::Json(endpoints.get(&caller, id).await?))
}
