//! Many creations, changes and deletions in one request, with a result for each.

use axum::response::{IntoResponse as _, Response};
use kernel::{Error, Result, TenantScope};
use records::{Expected, Item, ItemAct, ItemOutcome, MAX_BATCH, NewRecord, RecordRef, Records, ResourceType, Touch};
use serde_json::{Map, Value, json};
use web::Json;

use super::problem;
use crate::declared::{Members, Wrap};

/// The largest body of a batch, in bytes.
pub(crate) const BATCH_BODY: usize = 8 * 1024 * 1024;

/// A batch of one resource type under a caller's authority.
pub(crate) struct Batch<'a> {
    pub(crate) records: &'a Records,
    pub(crate) kind: &'a ResourceType,
    /// Whether the caller may do this, and may write these members. Error: 403, 422.
    pub(crate) allows: &'a (dyn Fn(Touch, &Members) -> Result<()> + Sync),
    /// The members that the caller may write; none: all but the server's.
    pub(crate) writable: Option<Vec<String>>,
    /// Members that are set whatever the caller writes: the parent that the path names.
    pub(crate) set: Members,
    /// Whether items may only create.
    pub(crate) creates_only: bool,
}

impl Batch<'_> {
    /// Reads the body, does what it asks, and tells of each item.
    ///
    /// Errors: 422 for a body that is no list of items, `batch_too_large`.
    pub(crate) async fn run(&self, scope: &TenantScope, body: Members, wrap: Wrap) -> Result<Response> {
        let items = operations(body)?.into_iter().map(|item| self.item(item)).collect();
        let outcomes = self.records.batch(scope, self.kind.name(), items, problem).await?;
        let failed = outcomes.iter().filter(|outcome| matches!(outcome, ItemOutcome::Failed(_))).count();
        let summary = json!({"succeeded": outcomes.len() - failed, "failed": failed});
        let data: Vec<Value> = outcomes.iter().map(|outcome| self.shown(outcome)).collect();
        Ok(Json(wrap.with_success(json!({"data": data, "summary": summary}))).into_response())
    }

    fn item(&self, item: Value) -> Item {
        let read = |item| {
            let asked = Asked::read(item)?;
            let touch = if asked.op == "delete" { Touch::Delete } else { Touch::Write };
            (self.allows)(touch, &asked.data)?;
            let expected = asked.if_match.as_deref().map_or(Ok(Expected::Anything), Expected::if_match)?;
            Ok(Item { act: self.act(asked)?, expected })
        };
        read(item).unwrap_or_else(|error| Item { act: ItemAct::Faulty(error), expected: Expected::Anything })
    }

    fn act(&self, asked: Asked) -> Result<ItemAct> {
        let (writable, kind) = (self.writable.clone(), self.kind);
        let whole = |data: Members| -> Result<Members> {
            // What takes all members may be asked only by who may write all.
            kind.check_writable(&data, self.writable.as_deref())?;
            Ok(data.into_iter().chain(self.set.clone()).collect())
        };
        if self.creates_only && asked.op != "create" {
            return Err(Error::field("/op", "must be create here"));
        }
        Ok(match asked.op.as_str() {
            "create" => ItemAct::Create(NewRecord {
                document: asked.data,
                external_id: asked.external_id,
                writable,
                set: self.set.clone(),
                ..NewRecord::default()
            }),
            "update" => ItemAct::Update(reference(kind, asked.id)?, asked.data, writable),
            "replace" => ItemAct::Replace(reference(kind, asked.id)?, whole(asked.data)?),
            "delete" => ItemAct::Delete(reference(kind, asked.id)?),
            "upsert" => {
                let external =
                    asked.external_id.ok_or_else(|| Error::field("/externalId", "names the record that is put; it must be there"))?;
                ItemAct::Upsert(external, whole(asked.data)?)
            }
            _ => return Err(Error::field("/op", "must be create, update, replace, upsert or delete")),
        })
    }

    fn shown(&self, outcome: &ItemOutcome) -> Value {
        let of = |status: u16, record: &records::Record| {
            let (id, etag) = (self.kind.id_value(record), record.etag());
            json!({"status": status, "id": id, "etag": etag, "record": self.kind.wire(record)})
        };
        match outcome {
            ItemOutcome::Created(record) => of(201, record),
            ItemOutcome::Changed(record) => of(200, record),
            ItemOutcome::Deleted(reference) => json!({"status": 204, "id": named(reference)}),
            ItemOutcome::Failed(problem) => json!({"status": problem["status"], "error": problem}),
        }
    }
}

/// An item as it came.
struct Asked {
    op: String,
    id: Option<String>,
    external_id: Option<String>,
    if_match: Option<String>,
    data: Members,
}

impl Asked {
    fn read(item: Value) -> Result<Self> {
        let Value::Object(members) = item else {
            return Err(Error::field("", "must be an object such as {\"op\": \"create\", \"data\": {…}}"));
        };
        let mut asked = Self { op: "create".to_owned(), id: None, external_id: None, if_match: None, data: Map::new() };
        for (name, value) in members {
            let at = format!("/{}", name.chars().take(80).collect::<String>().replace('~', "~0").replace('/', "~1"));
            match (name.as_str(), value) {
                ("op", Value::String(text)) => asked.op = text,
                ("id", Value::String(text)) => asked.id = Some(text),
                ("id", Value::Number(number)) => asked.id = Some(number.to_string()),
                ("externalId", Value::String(text)) => asked.external_id = Some(text),
                ("ifMatch", Value::String(text)) => asked.if_match = Some(text),
                ("data", Value::Object(data)) => asked.data = data,
                ("op" | "id" | "externalId" | "ifMatch" | "data", _) => return Err(Error::field(at, "has the wrong type")),
                _ => return Err(Error::field(at, "is not a known member of an item")),
            }
        }
        Ok(asked)
    }
}

fn operations(mut body: Members) -> Result<Vec<Value>> {
    let fault = |at: &str, detail: &str| Err(Error::field(at, detail));
    let items = match body.shift_remove("operations") {
        Some(Value::Array(items)) => items,
        Some(_) => return fault("/operations", "must be a list of items"),
        None => return fault("/operations", "is missing: the list of items, such as {\"op\": \"create\", \"data\": {…}}"),
    };
    if let Some(name) = body.keys().next() {
        return fault(&format!("/{name}"), "is not a known field");
    }
    if items.len() > MAX_BATCH {
        let detail = format!("A batch has at most {MAX_BATCH} items; this one has {}.", items.len());
        return Err(Error::invalid("batch_too_large", detail).at("/operations", "has too many items"));
    }
    Ok(items)
}

fn reference(kind: &ResourceType, id: Option<String>) -> Result<RecordRef> {
    let id = id.ok_or_else(|| Error::field("/id", "names the record; it must be there"))?;
    id.parse().map_err(|_| Error::not_found(kind.name()))
}

fn named(reference: &RecordRef) -> Value {
    match reference {
        RecordRef::Id(id) => id.to_string().into(),
        RecordRef::Number(number) => (*number).into(),
        RecordRef::External(external) => format!("ext:{external}").into(),
    }
}

/// The JSON Schema of the body.
pub(crate) fn batch_body(members: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["operations"],
        "additionalProperties": false,
        "properties": {"operations": {"type": "array", "maxItems": MAX_BATCH, "items": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "op": {"enum": ["create", "update", "replace", "upsert", "delete"], "default": "create"},
                "id": {"description": "The record, for update, replace and delete; also ext: and the host's id"},
                "externalId": {"type": "string", "description": "The host's id: of a new record, or of the one that is put"},
                "ifMatch": {"type": "string", "description": "Only if the record's ETag is this"},
                "data": members,
            },
        }}},
    })
}

/// The JSON Schema of the answer.
pub(crate) fn batch_answer(record: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "summary"],
        "properties": {
            "data": {"type": "array", "description": "One for each item, in their order", "items": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {"type": "integer", "description": "As if the item had come alone: 201, 200, 204, 404, 409, 412, 422 …"},
                    "id": {"type": ["string", "integer"]},
                    "etag": {"type": "string"},
                    "record": record,
                    "error": {"type": "object", "description": "A problem (RFC 9457)"},
                },
            }},
            "summary": {
                "type": "object",
                "required": ["succeeded", "failed"],
                "properties": {"succeeded": {"type": "integer"}, "failed": {"type": "integer"}},
            },
        },
    })
}
