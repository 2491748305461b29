//! `rest_endpoints.create`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, FieldError, Kind, Permission, Result, TenantId, TenantScope};
use records::ResourceType;
use store::Tx;

use super::endpoint::{Definition, RestEndpoint, RestEndpointInput, Row};
use super::{MAX_PER_TENANT, RestEndpoints, TOPIC, input, parameters, sql};
use crate::generic::RULES;
use crate::list_query;

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
        self.try_list(&scope, kind, &definition).await?;
        let row = Row { id: self.ambient.id(), method, definition, created_at: self.ambient.now() };
        let tenant = scope.tenant();
        self.store.answer(scope, move |tx| insert(tx, tenant, &shape, row)).await
    }
}

impl RestEndpoints {
    /// A list whose fixed parameters can never be answered is found out now, not by its first caller. Error: 422 `validation_failed`.
    async fn try_list(&self, scope: &TenantScope, kind: &ResourceType, definition: &Definition) -> Result<()> {
        if definition.operation.query.is_empty() {
            return Ok(());
        }
        let mut query = list_query::parse(&parameters::fixed(&definition.operation.query, ""), kind, &RULES)?;
        (query.page.limit, query.total) = (1, false);
        let tried = self.records.list(scope, kind.name(), query).await;
        let named = |field: &FieldError| FieldError { pointer: format!("/operation/query{}", field.pointer), detail: field.detail.clone() };
        tried.map(drop).map_err(|error| match error.kind() {
            Kind::Invalid => {
                let fields = error.fields().iter().map(named).collect();
                Error::invalid("validation_failed", "The endpoint cannot be made; see errors.").with_fields(fields)
            }
            _ => error,
        })
    }
}

/// Most characters of all definitions of a tenant: its documentation is made of them.
const MAX_SIZE: u64 = 1024 * 1024;

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
    if sql::size(tx, tenant)? > MAX_SIZE {
        let detail =
            format!("A tenant's endpoints say at most {MAX_SIZE} characters in all, their schemas included. Shorten this one's schema.");
        return Err(Error::conflict("rest_endpoints_too_large", detail));
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
