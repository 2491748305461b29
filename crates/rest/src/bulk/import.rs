//! Records from NDJSON or CSV, read as they arrive, with a result for each line.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use kernel::{Error, Kind, Result, TenantScope};
use records::{Expected, Item, ItemAct, ItemOutcome, NewRecord, RecordRef, Records, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::csv::{self, Cell};
use super::lines::Lines;
use super::once::{Fingerprint, Once};
use super::problem;
use crate::declared::Members;
use crate::document;

/// The largest body of an import, in bytes. It is never held as a whole.
pub(crate) const IMPORT_BODY: usize = 256 * 1024 * 1024;
/// Most lines of one import: the results are kept until all is read.
const LINES: usize = 100_000;
/// Lines that are stored at a time, and their bytes.
const STEP: usize = 100;
const STEP_BYTES: usize = 4 * 1024 * 1024;
/// Faults that are told in full; of further ones only their lines and codes.
const FAULTS: usize = 1000;
/// Most columns.
const COLUMNS: usize = 1000;

/// An import of one resource type under a caller's authority.
pub(crate) struct Import<'a> {
    pub(crate) records: &'a Records,
    pub(crate) kind: &'a ResourceType,
    /// Whether the caller may write these members. Error: 422.
    pub(crate) allows: &'a (dyn Fn(&Members) -> Result<()> + Sync),
    /// Members that only the operator sets, which the caller is not: a line may have them, as an export shows them, and they are left out.
    pub(crate) theirs: Vec<String>,
    /// Members that are set whatever a line says: the parent that the path names.
    pub(crate) set: Members,
    /// The idempotency key, if there is one.
    pub(crate) once: Option<Once>,
}

/// What became of a line.
#[derive(Serialize, Deserialize)]
struct Fate {
    status: u16,
    id: Option<Value>,
    error: Option<Value>,
}

struct Told {
    line: u64,
    fate: Fate,
}

/// Lines that are stored together.
#[derive(Default)]
struct Part {
    items: Vec<(u64, Item)>,
    bytes: usize,
    lines: Fingerprint,
}

#[derive(Default)]
struct Results {
    told: Vec<Told>,
    created: u64,
    updated: u64,
    failed: u64,
    /// Parts, and how many of them had been stored before.
    parts: usize,
    replayed: usize,
}

impl Import<'_> {
    /// Reads the body to its end and stores what it says, a hundred lines at a time. Each line has a fate of its own.
    ///
    /// Errors: 415; 422 for a CSV without usable columns; those of reading the body, if nothing was stored before. Later ones end the import and
    /// are told after the results.
    pub(crate) async fn run(mut self, scope: &TenantScope, headers: &HeaderMap, body: Body) -> Result<Response> {
        let is_csv = is_csv(headers)?;
        let mut lines = Lines::new(body, is_csv, IMPORT_BODY);
        let mut number = 0;
        let columns = if is_csv { Some(self.columns(&mut lines, &mut number).await?) } else { None };
        let mut results = Results::default();
        let stopped = self.all(scope, &mut lines, number, columns.as_deref(), &mut results).await.err();
        match stopped {
            Some(error) if results.told.is_empty() => Err(error),
            stopped => Ok(answer(results, stopped)),
        }
    }

    async fn all(
        &self,
        scope: &TenantScope,
        lines: &mut Lines,
        from: u64,
        columns: Option<&[String]>,
        results: &mut Results,
    ) -> Result<()> {
        let mut number = from;
        let mut part = Part::default();
        loop {
            let read = lines.next().await;
            let stop = match read {
                Ok(Some(line)) => {
                    number += 1;
                    if !line.trim().is_empty() {
                        part.bytes += line.len();
                        part.lines.add(&line);
                        part.items.push((number, self.item(&line, columns)));
                    }
                    None
                }
                Ok(None) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            };
            if part.items.len() == STEP || part.bytes > STEP_BYTES || (stop.is_some() && !part.items.is_empty()) {
                self.store(scope, std::mem::take(&mut part), results).await?;
            }
            if let Some(end) = stop {
                return end;
            }
            if results.told.len() >= LINES {
                let detail =
                    format!("An import has at most {LINES} lines. Those up to line {number} were imported; send the rest by itself.");
                return Err(Error::invalid("import_too_large", detail));
            }
        }
    }

    async fn store(&self, scope: &TenantScope, part: Part, results: &mut Results) -> Result<()> {
        let (numbers, items): (Vec<u64>, Vec<Item>) = part.items.into_iter().unzip();
        let own = self.once.as_ref().map(|once| once.part(scope, results.parts, &part.lines));
        let scope = own.as_ref().unwrap_or(scope);
        let fates = self.records.batch_told(scope, self.kind.name(), items, problem, fate).await?;
        results.parts += 1;
        results.replayed += usize::from(scope.is_replayed());
        for (line, mut fate) in numbers.into_iter().zip(fates) {
            match fate.status {
                201 => results.created += 1,
                200 | 204 => results.updated += 1,
                _ => results.failed += 1,
            }
            if results.failed > FAULTS as u64 {
                fate.error = fate.error.map(|problem| json!({"code": problem["code"]}));
            }
            results.told.push(Told { line, fate });
        }
        Ok(())
    }

    async fn columns(&mut self, lines: &mut Lines, number: &mut u64) -> Result<Vec<String>> {
        let fault = |detail: String| Error::invalid("import_columns", detail);
        let line = lines.next().await?.ok_or_else(|| fault("The first line of a CSV names its columns; there is none.".to_owned()))?;
        *number += 1;
        if let Some(once) = &mut self.once {
            once.also(&line);
        }
        let cells = csv::read_line(line.trim_start_matches('\u{feff}'))?;
        let names: Vec<String> = cells.into_iter().map(|cell| cell.text).collect();
        let known = self.kind.columns();
        let is_open = self.kind.resource().schema.get("additionalProperties") != Some(&Value::Bool(false));
        if names.len() > COLUMNS {
            return Err(fault(format!("A CSV has at most {COLUMNS} columns.")));
        }
        if let Some(name) = names.iter().find(|name| !is_open && !known.contains(name)) {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(fault(format!("The column {shown:?} is not a member of {}; there are {}.", self.kind.name(), known.join(", "))));
        }
        if let Some((n, _)) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
            return Err(fault(format!("Column {} has the same name as one before it.", n + 1)));
        }
        Ok(names)
    }

    fn item(&self, line: &str, columns: Option<&[String]>) -> Item {
        let read = || {
            let members = match columns {
                Some(columns) => self.of_cells(columns, csv::read_line(line)?)?,
                None => json_line(line)?,
            };
            let (reference, external, document) = self.apart(members)?;
            (self.allows)(&document)?;
            let document: Members = document.into_iter().chain(self.set.clone()).collect();
            Ok(match (reference, external) {
                (Some(reference), external) => ItemAct::Put(reference, external, document),
                (None, Some(external)) => ItemAct::Upsert(external, document),
                (None, None) => ItemAct::Create(NewRecord { document, ..NewRecord::default() }),
            })
        };
        Item { act: read().unwrap_or_else(ItemAct::Faulty), expected: Expected::Anything }
    }

    /// The record that a line means, its external id, and its members. What only the server sets (as an export shows it) is left out.
    fn apart(&self, mut members: Members) -> Result<(Option<RecordRef>, Option<String>, Members)> {
        let id = members.shift_remove("id").filter(|id| !id.is_null());
        let external = members.shift_remove(self.kind.external_id_member()).filter(|id| !id.is_null());
        self.kind.without_server_set(&mut members);
        members.retain(|name, _| !self.theirs.contains(name));
        let reference = match id {
            None => None,
            Some(Value::String(id)) => id.parse().ok(),
            Some(Value::Number(id)) => id.to_string().parse().ok(),
            Some(_) => return Err(Error::field("/id", "must be an id")),
        };
        let external = match external {
            None => None,
            Some(Value::String(external)) => Some(kernel::text::external_id(&external)?),
            Some(_) => return Err(Error::field("/externalId", "must be a text")),
        };
        Ok((reference, external, members))
    }

    fn of_cells(&self, columns: &[String], cells: Vec<Cell>) -> Result<Members> {
        if cells.len() != columns.len() {
            return Err(Error::field("", format!("has {} cells, but there are {} columns", cells.len(), columns.len())));
        }
        let mut members = Map::new();
        for (name, cell) in columns.iter().zip(cells) {
            if let Some(value) = self.value(name, &cell) {
                members.insert(name.clone(), value);
            }
        }
        Ok(members)
    }

    /// A cell as a value of the member's types. What does not fit stays a text, for the schema to judge.
    fn value(&self, member: &str, cell: &Cell) -> Option<Value> {
        if cell.text.is_empty() && !cell.quoted {
            return None;
        }
        let types = self.kind.value_types(member);
        let has = |names: &[&str]| types.iter().any(|name| names.contains(&name.as_str()));
        let parsed = || serde_json::from_str::<Value>(&cell.text).ok();
        let fits = |value: &Value| match value {
            Value::Number(_) => has(&["number", "integer"]),
            Value::Bool(_) => has(&["boolean"]),
            Value::Array(_) => has(&["array"]),
            Value::Object(_) => has(&["object"]),
            Value::Null | Value::String(_) => false,
        };
        let typed = if has(&["number", "integer", "boolean", "array", "object"]) { parsed().filter(fits) } else { None };
        Some(typed.unwrap_or_else(|| Value::String(csv::unguarded(&cell.text).to_owned())))
    }
}

/// What is told of a line, and kept for its import's key.
fn fate(kind: &ResourceType, outcome: ItemOutcome) -> Fate {
    let done = |status, record| Fate { status, id: Some(kind.id_value(record)), error: None };
    match outcome {
        ItemOutcome::Created(record) => done(201, &record),
        ItemOutcome::Changed(record) => done(200, &record),
        ItemOutcome::Deleted(_) => Fate { status: 204, id: None, error: None },
        ItemOutcome::Failed(problem) => {
            let status = problem["status"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(500);
            Fate { status, id: None, error: Some(problem) }
        }
    }
}

fn json_line(line: &str) -> Result<Members> {
    document::check(line)?;
    let value: Value =
        serde_json::from_str(line).map_err(|error| Error::malformed("malformed_json", format!("The line is not JSON: {error}.")))?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Error::field("", "must be an object: the members of a record")),
    }
}

fn is_csv(headers: &HeaderMap) -> Result<bool> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let essence = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().ok().and_then(|text| text.split(';').next()).map(|text| text.trim().to_ascii_lowercase()),
        _ => None,
    };
    match essence.as_deref() {
        Some("text/csv") => Ok(true),
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => Ok(false),
        _ => {
            let detail = "Send NDJSON with Content-Type: application/x-ndjson, or CSV with Content-Type: text/csv.";
            Err(Error::new(Kind::UnsupportedMedia, "unsupported_media_type", detail))
        }
    }
}

/// `{"data": […], "summary": {…}}`, written as it is sent.
fn answer(results: Results, stopped: Option<Error>) -> Response {
    let mut summary =
        json!({"lines": results.told.len(), "created": results.created, "updated": results.updated, "failed": results.failed});
    if let Some(error) = stopped {
        summary["stopped"] = problem(&error);
    }
    let is_replayed = results.parts > 0 && results.replayed == results.parts;
    let mut parts = Vec::with_capacity(results.told.len() / STEP + 2);
    let mut first = true;
    let mut told = results.told.into_iter().peekable();
    let lines = std::iter::from_fn(move || {
        told.peek()?;
        let mut out = String::new();
        for told in told.by_ref().take(STEP) {
            out.push_str(if first { "" } else { ",\n" });
            first = false;
            out.push_str(&told.shown().to_string());
        }
        Some(Bytes::from(out))
    });
    parts.push(Bytes::from_static(b"{\"data\":["));
    let end = Bytes::from(format!("],\"summary\":{summary}}}"));
    let body = parts.into_iter().chain(lines).chain([end]).map(Ok::<_, std::convert::Infallible>);
    let mut response = Response::new(Body::from_stream(futures_util::stream::iter(body)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if is_replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

impl Told {
    fn shown(&self) -> Value {
        let mut out = json!({"line": self.line, "status": self.fate.status});
        if let Some(id) = &self.fate.id {
            out["id"] = id.clone();
        }
        if let Some(error) = &self.fate.error {
            out["error"] = error.clone();
        }
        out
    }
}
