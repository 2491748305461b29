//! `/api/v1/records/{resourceType}`: every resource type, in the native style, for holders of `records.read` and `records.write`, and of the
//! scopes that a resource type declares for itself.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use blueprint::model::{Envelope, Naming};
use kernel::page::{DEFAULT_LIMIT, MAX_LIMIT};
use kernel::{Error, Permission};
use records::{Filter, NewRecord, Record, RecordRef, Records, ResourceType, Touch};
use serde_json::{Map, Value, json};
use web::{Access, Api, Auth, Created, Endpoint, Json, NoContent, Parameter, Path, Path2, Result};

use crate::bulk::{self, Batch, Import, Once};
use crate::conditions::{Conditions, tagged};
use crate::declared::Wrap;
use crate::document::Document;
use crate::list_query::{self, Rules, Total};

const MANY: &str = "/api/v1/records/{resourceType}";
const ONE: &str = "/api/v1/records/{resourceType}/{id}";
pub(crate) const NATIVE: Wrap = Wrap { envelope: Envelope::Plain, naming: Naming::Camel };
pub(crate) const RULES: Rules =
    Rules { limit: (DEFAULT_LIMIT, MAX_LIMIT), cursors: true, numbered: false, total: Total::WithPages, strict: true };

/// The generic routes.
pub fn generic(records: &Arc<Records>) -> Api {
    one_by_one(records).merge(many_at_once(records))
}

fn record() -> Value {
    json!({"type": "object", "description": "A record, in the form of its resource type", "required": ["id"]})
}

fn one_by_one(records: &Arc<Records>) -> Api {
    let read = |endpoint: Endpoint| endpoint.tag("Records").needs(access(records, Touch::Read));
    let write = |endpoint: Endpoint| endpoint.tag("Records").needs(access(records, Touch::Write));
    let delete = |endpoint: Endpoint| endpoint.tag("Records").needs(access(records, Touch::Delete));
    let list = Endpoint::get(MANY, "records.list")
        .summary("List records of a resource type. The filters, the search and the orders are those that the type declares.")
        .paged()
        .query(&[
            ("filter", list_query::FILTER),
            ("search", "Text to look for in the searchable members"),
            ("sort", "Order: a member; with - before it, largest first"),
            ("fields", list_query::FIELDS),
            ("total", "Whether to count all matches: true or false. Default: with page only"),
        ])
        .answers_schema(200, NATIVE.page_schema(&record(), true));
    let create = Endpoint::post(MANY, "records.create").summary("Create a record; the body is its members.");
    let get = Endpoint::get(ONE, "records.get")
        .summary("Get a record by its id, or by ext: and the host's id. Its ETag is its version.")
        .query(&[("fields", list_query::FIELDS)]);
    let replace = Endpoint::put(ONE, "records.replace")
        .summary("Replace a record's members. With ext: and the host's id, the record is created if it is not there. If-Match holds.")
        .answers_schema(201, record());
    let update = Endpoint::patch(ONE, "records.update").summary("Change members of a record (RFC 7396: null removes one). If-Match holds.");
    let remove = Endpoint::delete(ONE, "records.delete").summary("Delete a record. If-Match holds.");
    Api::new()
        .route(read(list), list_records, records.clone())
        .route(write(create.body_schema(record()).answers_schema(201, record())), create_record, records.clone())
        .route(read(get.answers_schema(200, record())), get_record, records.clone())
        .route(write(replace.body_schema(record()).answers_schema(200, record())), replace_record, records.clone())
        .route(write(update.body_schema(record()).answers_schema(200, record())), update_record, records.clone())
        .route(delete(remove.answers_nothing()), delete_record, records.clone())
}

fn many_at_once(records: &Arc<Records>) -> Api {
    let on = |endpoint: Endpoint, touch| endpoint.tag("Records").needs(access(records, touch));
    let batch = Endpoint::post(format!("{MANY}/batch"), "records.batch")
        .summary("Create, change and delete up to 1,000 records, each with a result of its own.")
        .body_limit(bulk::BATCH_BODY)
        .body_schema(bulk::batch_body(&record()))
        .answers_schema(200, bulk::batch_answer(&record()));
    let export = Endpoint::get(format!("{MANY}/export"), "records.export")
        .summary("All records that match, as CSV or NDJSON, streamed.")
        .query(&bulk::EXPORT)
        .answers_media(200, "application/x-ndjson")
        .answers_media(200, "text/csv");
    let import = Endpoint::post(format!("{MANY}/import"), "records.import")
        .summary("Create and replace records from NDJSON or CSV, with a result for each line.")
        .idempotent(false)
        .body_limit(bulk::IMPORT_BODY)
        .body_media("application/x-ndjson")
        .body_media("text/csv")
        .header(Parameter::new(bulk::KEY.0, bulk::KEY.1))
        .answers_schema(200, json!({"type": "object", "required": ["data", "summary"]}));
    Api::new()
        .route(on(batch, Touch::Write), batch_records, records.clone())
        .route(on(export, Touch::Read), export_records, records.clone())
        .route(on(import, Touch::Write), import_records, records.clone())
}

/// The permission, or the scopes that resource types declare for themselves; which type a scope opens is asked of the type.
pub(crate) fn access(records: &Records, touch: Touch) -> Access {
    let permission = if touch == Touch::Read { Permission::RecordsRead } else { Permission::RecordsWrite };
    let scopes = records.scopes(touch);
    if scopes.is_empty() { Access::Permission(permission) } else { Access::PermissionOr(permission, scopes) }
}

type Shared = State<Arc<Records>>;
type Named = Path2<String, String>;

async fn list_records(
    State(records): Shared,
    Auth(caller): Auth,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Read)?;
    let mut query = list_query::parse(query.as_deref().unwrap_or_default(), kind, &RULES)?;
    let fields = query.fields.take();
    let page = records.list(&scope, kind.name(), query).await?;
    Ok(Json(NATIVE.page(page.map(|record| Value::Object(kind.wire_of(&record, fields.as_deref()))))))
}

async fn create_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path(kind): Path<String>,
    Document(document): Document,
) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Write)?;
    kind.check_sent(&caller, &document)?;
    let record = records.create(&scope, kind.name(), NewRecord { document, ..NewRecord::default() }).await?;
    Ok(created(kind, &record))
}

async fn get_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path2(kind, id): Named,
    conditions: Conditions,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Read)?;
    let fields = list_query::fields_of(kind, query.as_deref().unwrap_or_default())?;
    let record = records.get(&scope, kind.name(), reference(kind, &id)?).await?;
    Ok(conditions.answer(&record, Json(kind.wire_of(&record, fields.as_deref())).into_response())?)
}

async fn replace_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path2(kind, id): Named,
    conditions: Conditions,
    Document(document): Document,
) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Write)?;
    kind.check_sent(&caller, &document)?;
    let records = records.expecting(conditions.expected()?);
    if let Some(external) = id.strip_prefix("ext:") {
        let put = records.upsert(&scope, kind.name(), external, document).await?;
        return Ok(if put.created { created(kind, &put.record) } else { shown(kind, &put.record) });
    }
    let record = records.replace(&scope, kind.name(), reference(kind, &id)?, document).await?;
    Ok(shown(kind, &record))
}

async fn update_record(
    State(records): Shared,
    Auth(caller): Auth,
    Path2(kind, id): Named,
    conditions: Conditions,
    Document(patch): Document,
) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Write)?;
    kind.check_sent(&caller, &patch)?;
    let records = records.expecting(conditions.expected()?);
    let record = records.update(&scope, kind.name(), reference(kind, &id)?, patch, None).await?;
    Ok(shown(kind, &record))
}

async fn delete_record(State(records): Shared, Auth(caller): Auth, Path2(kind, id): Named, conditions: Conditions) -> Result<NoContent> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Delete)?;
    records.expecting(conditions.expected()?).delete(&scope, kind.name(), reference(kind, &id)?).await?;
    Ok(NoContent)
}

async fn batch_records(State(records): Shared, Auth(caller): Auth, Path(kind): Path<String>, Document(body): Document) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Write)?;
    let allows = |touch, members: &Map<String, Value>| {
        kind.authority(&caller, touch)?;
        kind.check_sent(&caller, members)
    };
    let batch = Batch { records: &records, kind, allows: &allows, writable: None, set: Map::new(), creates_only: false };
    Ok(batch.run(&scope, body, NATIVE).await?)
}

async fn export_records(
    State(records): Shared,
    Auth(caller): Auth,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Read)?;
    Ok(bulk::export(&records, &scope, kind, query.as_deref().unwrap_or_default(), Filter::default())?)
}

async fn import_records(State(records): Shared, Auth(caller): Auth, Path(kind): Path<String>, request: Request) -> Result<Response> {
    let kind = records.resource_type(&kind)?;
    let scope = kind.authority(&caller, Touch::Write)?;
    let allows = |members: &Map<String, Value>| kind.check_sent(&caller, members);
    let (head, body) = request.into_parts();
    let once = Once::of(&head)?;
    let theirs = kind.set_by_operator(&caller);
    let import = Import { records: &records, kind, allows: &allows, theirs, set: Map::new(), once };
    Ok(import.run(&scope, &head.headers, body).await?)
}

fn shown(kind: &ResourceType, record: &Record) -> Response {
    tagged(record, Json(kind.wire(record)).into_response())
}

/// What cannot name a record names none: 404.
fn reference(kind: &ResourceType, text: &str) -> kernel::Result<RecordRef> {
    text.parse().map_err(|_| Error::not_found(kind.name()))
}

fn created(kind: &ResourceType, record: &Record) -> Response {
    let location = format!("/api/v1/records/{}/{}", kind.name(), kind.id_text(record));
    tagged(record, Created { location, body: kind.wire(record) }.into_response())
}
