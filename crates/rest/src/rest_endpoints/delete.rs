//! `rest_endpoints.delete`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, RestEndpointId, Result};
use serde_json::json;

use super::{RestEndpoints, TOPIC, sql};

impl RestEndpoints {
    /// Deletes an endpoint: its path answers 404 from now on. The records stay. Error: 404.
    pub async fn delete(&self, caller: &Caller, id: RestEndpointId) -> Result<()> {
        let scope = caller.allow(Permission::EndpointsWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let row = sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("REST endpoint"))?;
                sql::delete(tx, tenant, id)?;
                tx.audit_with("rest_endpoint.delete", id, &json!({"method": row.method, "path": row.path()}))?;
                tx.notify(TOPIC, tenant);
                Ok(())
            })
            .await
    }
}

pub(super) async fn handle(
    State(endpoints): State<Arc<RestEndpoints>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<RestEndpointId>,
) -> web::Result<web::NoContent> {
    endpoints.delete(&caller, id).await?;
    Ok(web::NoContent)
}
