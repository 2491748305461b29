//! Endpoints that start many jobs of one type in one request, with a result for each.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use jobs::Started;
use kernel::{Caller, Error, RequestInfo, RequestSlot};
use serde_json::{Map, Value, json};
use web::{Auth, Json, Result};

use super::Asked;
use super::jobs::Route;
use crate::bulk::problem;
use crate::document::Document;

/// Most jobs in one request.
const MAX_JOBS: usize = 1000;

/// The JSON Schema of the body, each item of which is `input`.
pub(super) fn body(input: &Value) -> Value {
    let item = json!({"type": "object", "required": ["data"], "properties": {"data": input}});
    json!({
        "type": "object",
        "required": ["operations"],
        "properties": {"operations": {"type": "array", "minItems": 1, "maxItems": MAX_JOBS, "items": item}},
    })
}

/// The JSON Schema of the answer, each good row of which has what `started` says.
pub(super) fn answer(started: &Value) -> Value {
    let row = json!({"type": "object", "required": ["status"], "properties": {"status": {"type": "integer"}, "job": started, "error": {"type": "object"}}});
    json!({"type": "object", "required": ["data", "summary"], "properties": {"data": {"type": "array", "items": row}, "summary": {"type": "object"}}})
}

pub(super) async fn start_many(
    State(route): State<Arc<Route>>,
    Auth(caller): Auth,
    _asked: Asked,
    Document(body): Document,
) -> Result<Response> {
    // The authority over everything; each item has its own, for its own place in the request.
    drop(caller.allow_scope(&route.scope)?);
    let mut data = Vec::new();
    for (n, item) in items(body)?.into_iter().enumerate() {
        let outcome = one(&route, &caller, n, item).await;
        data.push(match outcome {
            Ok(started) => {
                let at = route.shown_at.replacen("{}", &started.job.id.to_string(), 1);
                json!({"status": 202, "job": route.accepted(started, &at)})
            }
            Err(error) => {
                let problem = problem(&error);
                json!({"status": problem["status"], "error": problem})
            }
        });
    }
    let failed = data.iter().filter(|row| row.get("error").is_some()).count();
    let told = json!({"data": data, "summary": {"succeeded": data.len() - failed, "failed": failed}});
    let mut response = Json(route.wrap().with_success(told)).into_response();
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

/// The items of the body. Errors: 422 `validation_failed`, `batch_too_large`.
fn items(mut body: Map<String, Value>) -> kernel::Result<Vec<Value>> {
    let items = match body.shift_remove("operations") {
        Some(Value::Array(items)) if !items.is_empty() => items,
        _ => return Err(Error::field("/operations", "must be a list of items such as {\"data\": {…}}")),
    };
    if let Some(other) = body.keys().next() {
        return Err(Error::field(format!("/{}", other.replace('~', "~0").replace('/', "~1")), "is not a known field"));
    }
    if items.len() > MAX_JOBS {
        let detail = format!("A batch has at most {MAX_JOBS} items, this one has {}.", items.len());
        return Err(Error::invalid("batch_too_large", detail).at("/operations", format!("must have at most {MAX_JOBS} items")));
    }
    Ok(items)
}

async fn one(route: &Route, caller: &Caller, n: usize, item: Value) -> kernel::Result<Started> {
    let input = match item {
        Value::Object(mut members) if members.len() == 1 => members.shift_remove("data"),
        _ => None,
    };
    let Some(Value::Object(input)) = input else { return Err(Error::field("", "must be an object such as {\"data\": {…}}")) };
    let scope = in_place(caller, n).allow_scope(&route.scope)?;
    let kind = route.kinds.first().ok_or_else(|| Error::internal("an endpoint starts no job"))?;
    route.jobs.start_declared(scope, caller.client(), kind, input).await
}

/// The caller with an idempotency key of the item's own, where the request has one: a repeated batch starts no job twice, though the first
/// one broke off in the middle.
fn in_place(caller: &Caller, n: usize) -> Caller {
    let Some(info) = caller.request() else { return caller.clone() };
    let own = |slot: &RequestSlot| RequestSlot::new(format!("{}#{n}", slot.key), slot.owner.clone(), slot.fingerprint);
    let slot = info.slot.as_ref().map(own);
    caller.clone().in_request(Arc::new(RequestInfo { id: info.id, ip: info.ip, user_agent: info.user_agent.clone(), slot }))
}
