//! Calls of endpoints. Authority first; then the schema; then the operation of `records`; the answer is native.

use std::sync::Arc;

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use kernel::{Caller, Error, FieldError, Result, TenantId, TenantScope};
use records::{NewRecord, RecordRef, ResourceType};
use serde_json::{Map, Value};
use web::{Auth, Created, Failure, Json, NoContent, RouteTemplate};

use super::endpoint::RestOperationType;
use super::live::Called;
use super::strangers::{Entered, PART, Visit, marked};
use super::{OWN, PUBLIC, RestEndpoints, parameters, shown};
use crate::document::Document;
use crate::generic::{NATIVE, RULES};
use crate::list_query::{self, Rules};

impl RestEndpoints {
    /// A call with a credential. Errors: 403 `insufficient_scope`; 404; 405; and those of the operation.
    async fn called(&self, caller: &Caller, request: Request) -> Result<Response> {
        let scope = caller.tenant_scope()?;
        let path = request.uri().path().strip_prefix(OWN).unwrap_or_default();
        let called = self.table(scope.tenant()).await?.find(request.method(), path, false)?;
        called.served.row.definition.scopes.iter().try_for_each(|name| caller.require_scope(name))?;
        let template = RouteTemplate(Arc::clone(&called.served.template));
        let mut response = self.answer(&scope, called, Some(caller), request).await.unwrap_or_else(|error| Failure(error).into_response());
        response.extensions_mut().insert(template);
        Ok(response)
    }

    /// A call by a stranger. Errors: 404, whether there is no such tenant or no such public endpoint; 405; 429 `rate_limited`; 503
    /// `maintenance`; and those of the operation.
    async fn called_publicly(&self, request: Request) -> Result<Response> {
        let Entered { tenant, admitted } = self.enter(Visit::of(&request)).await;
        let answered = match admitted {
            Ok(tenant) => self.answer_stranger(tenant, request).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = answered.unwrap_or_else(|error| Failure(error).into_response());
        response.extensions_mut().extend(tenant.map(marked).unwrap_or_default());
        Ok(response)
    }

    async fn answer_stranger(&self, tenant: TenantId, request: Request) -> Result<Response> {
        let path = request.uri().path().strip_prefix(PUBLIC).and_then(|whole| whole.split_once('/')).map_or("", |(_, path)| path);
        let called = self.table(tenant).await?.find(request.method(), path, true)?;
        let template = RouteTemplate(called.served.public_template());
        let scope = TenantScope::system(PART, tenant).holding_nothing();
        let mut response = self.answer(&scope, called, None, request).await.unwrap_or_else(|error| Failure(error).into_response());
        response.extensions_mut().insert(template);
        Ok(response)
    }

    /// `caller`: none for a stranger.
    async fn answer(&self, scope: &TenantScope, called: Called, caller: Option<&Caller>, request: Request) -> Result<Response> {
        let definition = &called.served.row.definition;
        // The blueprint may have lost a resource type since.
        let kind = self.records.resource_type(&definition.operation.resource)?;
        let query = request.uri().query().unwrap_or_default().to_owned();
        if let (false, Some(schema), Some(written)) = (called.served.row.method.has_body(), called.served.schema(), &definition.schema) {
            parameters::check(schema, written, &query, caller.is_none())?;
        }
        let (name, records, fixed) = (kind.name(), &self.records, &definition.operation.query);
        Ok(match definition.operation.kind {
            RestOperationType::List => {
                // Parameters that an endpoint's own schema names are not ours to refuse.
                let rules = Rules { strict: definition.schema.is_none(), ..RULES };
                if let (None, Some(shown)) = (caller, shown::members(kind, fixed)?) {
                    shown::check(kind, &shown, &list_query::parse(&parameters::asked(fixed, &query), kind, &rules)?)?;
                }
                let query = list_query::parse(&parameters::fixed(fixed, &query), kind, &rules)?;
                let fields = query.fields.clone();
                let page = records.list(scope, name, query).await?;
                Json(NATIVE.page(page.map(|record| Value::Object(kind.wire_of(&record, fields.as_deref()))))).into_response()
            }
            RestOperationType::Get => {
                let record = records.get(scope, name, reference(kind, &called)?).await?;
                Json(kind.wire_of(&record, shown::members(kind, fixed)?.as_deref())).into_response()
            }
            RestOperationType::Create => {
                let document = body(&called, kind, caller, request).await?;
                let record = records.create(scope, name, NewRecord { document, ..NewRecord::default() }).await?;
                let location = format!("/api/v1/records/{name}/{}", kind.id_text(&record));
                Created { location, body: kind.wire(&record) }.into_response()
            }
            RestOperationType::Update => {
                let reference = reference(kind, &called)?;
                let patch = body(&called, kind, caller, request).await?;
                Json(kind.wire(&records.update(scope, name, reference, patch, None).await?)).into_response()
            }
            RestOperationType::Delete => {
                records.delete(scope, name, reference(kind, &called)?).await?;
                NoContent.into_response()
            }
        })
    }
}

/// What cannot name a record names none: 404.
fn reference(kind: &ResourceType, called: &Called) -> Result<RecordRef> {
    called.id.as_deref().unwrap_or_default().parse().map_err(|_| Error::not_found(kind.name()))
}

/// The body, judged by the endpoint's schema. Errors: those of any body; 422 `validation_failed`.
async fn body(called: &Called, kind: &ResourceType, caller: Option<&Caller>, request: Request) -> Result<Map<String, Value>> {
    let Document(members) = Document::from_request(request, &()).await.map_err(|failure| failure.0)?;
    match caller {
        Some(caller) => kind.check_sent(caller, &members)?,
        // A stranger sets nothing that is the operator's to set.
        None => {
            let theirs = members.keys().filter(|name| kind.resource().server_set.contains(name));
            let fault = |name: &String| FieldError { pointer: format!("/{name}"), detail: "is set by the server".to_owned() };
            refuse(theirs.map(fault).collect())?;
        }
    }
    let Some(schema) = called.served.schema() else { return Ok(members) };
    let document = Value::Object(members);
    refuse(schema.check(&document, ""))?;
    match document {
        Value::Object(members) => Ok(members),
        _ => Err(Error::internal("a body that is an object is one")),
    }
}

fn refuse(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults))
    }
}

pub(super) async fn own(State(endpoints): State<Arc<RestEndpoints>>, Auth(caller): Auth, request: Request) -> web::Result<Response> {
    Ok(endpoints.called(&caller, request).await?)
}

pub(super) async fn public(State(endpoints): State<Arc<RestEndpoints>>, request: Request) -> web::Result<Response> {
    Ok(endpoints.called_publicly(request).await?)
}
