//! One handler for each operation. Authority first, as a value; then the operation of `records`; then the blueprint's envelope.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use records::NewRecord;
use serde_json::Value;
use web::{Auth, Json, Path, Result};

use super::Route;
use crate::document::Document;

pub(super) async fn list(State(route): State<Arc<Route>>, Auth(caller): Auth, RawQuery(query): RawQuery) -> Result<Json<Value>> {
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let query = route.list_query(query.as_deref().unwrap_or_default())?;
    let page = route.records.list(&scope, route.name(), query).await?;
    Ok(Json(route.wrap.page(page.map(|record| route.wire(&record)))))
}

pub(super) async fn get(State(route): State<Arc<Route>>, Auth(caller): Auth, Path(id): Path<String>) -> Result<Json<Value>> {
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let record = route.records.get(&scope, route.name(), route.reference(&id)?).await?;
    Ok(Json(route.wrap.one(route.wire(&record))))
}

pub(super) async fn create(State(route): State<Arc<Route>>, Auth(caller): Auth, Document(document): Document) -> Result<Response> {
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let new = NewRecord { document, external_id: None, writable: route.endpoint.writable.clone() };
    let record = route.records.create(&scope, route.name(), new).await?;
    Ok(route.wrap.created(route.location(&record), route.wire(&record)))
}

pub(super) async fn update(
    State(route): State<Arc<Route>>,
    Auth(caller): Auth,
    Path(id): Path<String>,
    Document(patch): Document,
) -> Result<Json<Value>> {
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    let writable = route.endpoint.writable.as_deref();
    let record = route.records.update(&scope, route.name(), route.reference(&id)?, patch, writable).await?;
    Ok(Json(route.wrap.one(route.wire(&record))))
}

pub(super) async fn delete(State(route): State<Arc<Route>>, Auth(caller): Auth, Path(id): Path<String>) -> Result<Response> {
    let scope = caller.allow_scope(&route.endpoint.scope)?;
    route.records.delete(&scope, route.name(), route.reference(&id)?).await?;
    Ok(route.wrap.done())
}
