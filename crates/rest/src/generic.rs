//! `/api/v1/records/{resourceType}`: every resource type, in the native style, for holders of `records.read` and `records.write`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use blueprint::model::{Envelope, Naming};
use kernel::page::{DEFAULT_LIMIT, MAX_LIMIT};
use kernel::{Error, Permission};
use records::{NewRecord, Record, RecordRef, Records, ResourceType};
use serde_json::{Map, Value, json};
use web::{Access, Api, Auth, Created, Endpoint, Json, NoContent, Path, Path2, Result};

use crate::declared::Wrap;
use crate::document::Document;
use crate::list_query::{self, Rules, Total};

const MANY: &str = "/api/v1/records/{resourceType}";
const ONE: &str = "/api/v1/records/{resourceType}/{id}";
const NATIVE: Wrap = Wrap { envelope: Envelope::Plain, naming: Naming::Camel };
const RULES: Rules = Rules { limit: (DEFAULT_LIMIT, MAX_LIMIT), cursors: true, numbered: false, total: Total::WithPages };

/// The generic routes.
pub fn generic(records: &Arc<Records>) -> Api {
    let read = |endpoint: Endpoint| endpoint.tag("Records").needs(Access::Permission(Permission::RecordsRead));
    let write = |endpoint: Endpoint| endpoint.tag("Records").needs(Access::Permission(Permission::RecordsWrite));
    let record = || json!({"type": "object", "description": "A record, in the form of its resource type", "required": ["id"]});
    let list = Endpoint::get(MANY, "records.list")
        .summary("List records of a resource type. The filters, the search and the orders are those that the type declares.")
        .paged()
        .query(&[("search", "Text to look for in the searchable members"), ("sort", "Order: a member; with - before it, largest first")])
        .answers_schema(200, NATIVE.page_schema(&record(), true));
    let create = Endpoint::post(MANY, "records.create").summary("Create a record; the body is its members.");
    let get = Endpoint::get(ONE, "records.get").summary("Get a record by its id, or by ext: and the host's id.");
    let replace = Endpoint::put(ONE, "records.replace")
        .summary("Replace a record's members. With ext: and the host's id, the record is created if it is not there.")
        .answers_schema(201, record());
    let update = Endpoint::patch(ONE, "records.update").summary("Change members of a record (RFC 7396: null removes one).");
    let delete = Endpoint::delete(ONE, "records.delete").summary("Delete a record.");
    Api::new()
        .route(read(list), list_records, records.clone())
        .route(write(create.body_schema(record()).answers_schema(201, record())), create_record, records.clone())
        .route(read(get.answers_schema(200, record())), get_record, records.clone())
        .route(write(replace.body_schema(record()).answers_schema(200, record())), replace_record, records.clone())
        .route(write(update.body_schema(record()).answers_schema(200, record())), update_record, records.clone())
        .route(write(delete.answers_nothing()), delete_record, records.clone())
}

type Shared = State<Arc<Records>>;
type Named = Path2<String, String>;

async fn list_records(
    State(records): Shared,
    Auth(caller): Auth,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let scope = caller.allow(Permission::RecordsRead)?;
    let kind = records.resource_type(&kind)?;
    let query = list_query::parse(query.as_deref().unwrap_or_default(), kind, &RULES)?;
    let page = records.list(&scope, kind.name(), query).await?;
    Ok(Json(NATIVE.page(page.map(|record| Value::Object(kind.wire(&record))))))
}

async fn create_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path(kind): Path<String>,
    Document(document): Document,
) -> Result<Response> {
    let scope = caller.allow(Permission::RecordsWrite)?;
    let kind = records.resource_type(&kind)?;
    let record = records.create(&scope, kind.name(), NewRecord { document, ..NewRecord::default() }).await?;
    Ok(created(kind, &record))
}

async fn get_record(State(records): Shared, Auth(caller): Auth, Path2(kind, id): Named) -> Result<Json<Map<String, Value>>> {
    let scope = caller.allow(Permission::RecordsRead)?;
    let kind = records.resource_type(&kind)?;
    let record = records.get(&scope, kind.name(), reference(kind, &id)?).await?;
    Ok(Json(kind.wire(&record)))
}

async fn replace_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path2(kind, id): Named,
    Document(document): Document,
) -> Result<Response> {
    let scope = caller.allow(Permission::RecordsWrite)?;
    let kind = records.resource_type(&kind)?;
    if let Some(external) = id.strip_prefix("ext:") {
        let put = records.upsert(&scope, kind.name(), external, document).await?;
        return Ok(if put.created { created(kind, &put.record) } else { Json(kind.wire(&put.record)).into_response() });
    }
    let record = records.replace(&scope, kind.name(), reference(kind, &id)?, document).await?;
    Ok(Json(kind.wire(&record)).into_response())
}

async fn update_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path2(kind, id): Named,
    Document(patch): Document,
) -> Result<Json<Map<String, Value>>> {
    let scope = caller.allow(Permission::RecordsWrite)?;
    let kind = records.resource_type(&kind)?;
    let record = records.update(&scope, kind.name(), reference(kind, &id)?, patch, None).await?;
    Ok(Json(kind.wire(&record)))
}

async fn delete_record(State(records): Shared, Auth(caller): Auth, Path2(kind, id): Named) -> Result<NoContent> {
    let scope = caller.allow(Permission::RecordsWrite)?;
    let kind = records.resource_type(&kind)?;
    records.delete(&scope, kind.name(), reference(kind, &id)?).await?;
    Ok(NoContent)
}

/// What cannot name a record names none: 404.
fn reference(kind: &ResourceType, text: &str) -> kernel::Result<RecordRef> {
    text.parse().map_err(|_| Error::not_found(kind.name()))
}

fn created(kind: &ResourceType, record: &Record) -> Response {
    let location = format!("/api/v1/records/{}/{}", kind.name(), kind.id_text(record));
    Created { location, body: kind.wire(record) }.into_response()
}
