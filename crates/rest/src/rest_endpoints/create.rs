//! `rest_endpoints.create`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, TenantId};
use store::Tx;

use super::endpoint::{RestEndpoint, RestEndpointInput, Row};
use super::{MAX_PER_TENANT, RestEndpoints, TOPIC, input, sql};

impl RestEndpoints {
    /// Makes an endpoint. It answers calls from now on.
    ///
    /// Errors: 403 `insufficient_scope`, also for who may not do what the endpoint would do; 409 `rest_endpoint_exists`,
    /// `too_many_rest_endpoints`; 422 `validation_failed`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, input: RestEndpointInput) -> Result<RestEndpoint> {
        let scope = caller.allow(Permission::EndpointsWrite)?;
        let (shape, method, definition) = input::check(input, &self.blueprint, &self.records)?;
        let kind = self.records.resource_type(&definition.operation.resource)?;
        input::may(caller, &self.blueprint, kind, definition.operation.kind)?;
        let row = Row { id: self.ambient.id(), method, definition, created_at: self.ambient.now() };
        let tenant = scope.tenant();
        self.store.answer(scope, move |tx| insert(tx, tenant, &shape, row)).await
    }
}

fn insert(tx: &mut Tx<'_>, tenant: TenantId, shape: &str, row: Row) -> Result<RestEndpoint> {
    let slug = access::tenants::held_slug(tx, tenant)?;
    if sql::count(tx, tenant)? >= MAX_PER_TENANT {
        let detail = format!("A tenant has at most {MAX_PER_TENANT} endpoints of its own. Delete one first.");
        return Err(Error::conflict("too_many_rest_endpoints", detail));
    }
    if !sql::insert(tx, tenant, shape, &row)? {
        let detail =
            format!("There is an endpoint for {} {} already. Delete it first, or choose another path.", row.method.as_str(), row.path());
        return Err(Error::conflict("rest_endpoint_exists", detail).at("/path", "is taken for this method"));
    }
    let view = row.view(&slug);
    tx.audit_change("rest_endpoint.create", view.id, &(), &view)?;
    tx.notify(TOPIC, tenant);
    Ok(view)
}

pub(super) async fn handle(
    State(endpoints): State<Arc<RestEndpoints>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<RestEndpointInput>,
) -> web::Result<web::Created<RestEndpoint>> {
    let body = endpoints.create(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/rest-endpoints/{}", body.id), body })
}
