//! Many writes as ingest jobs: CSV in, and three lists of results out, in no order that could be relied on.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{cells, jobs};
use crate::salesforce::dialect::{RestDialect, Said};
use crate::salesforce::ids;
use crate::salesforce::writes::{Act, Job, Part, comparable, done, refused, unique};
use crate::{Fault, Outcome, WriteAct, driver};

/// Rows of one job: an input is held in memory, and may have 100 MB.
const ROWS: usize = 10_000;
/// So long a job is waited for. What it has not done by then is not known.
const PATIENCE: Duration = Duration::from_mins(15);
/// What empties a field; an empty cell leaves it alone.
const EMPTIED: &str = "#N/A";

/// Writes a part by jobs; what no cell can say is left without an outcome.
///
/// Errors: a fault that concerns what has no outcome yet, which was not done.
pub(in crate::salesforce) async fn load(job: &Job<'_>, part: &Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let items: Vec<_> = part.items.iter().copied().filter(|item| can_be_cells(job, *item)).collect();
    for items in items.chunks(ROWS) {
        let chunk = Part { act: part.act.clone(), items: items.to_vec() };
        one(job, &chunk, outcomes).await?;
    }
    Ok(())
}

/// Whether every value has a cell that means it.
fn can_be_cells(job: &Job<'_>, item: usize) -> bool {
    job.writes[item].fields.values().all(|value| match value {
        Value::String(text) => text != EMPTIED,
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    })
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => EMPTIED.to_owned(),
        Value::String(text) if text.is_empty() => EMPTIED.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The lines of a job, and which column tells them apart.
struct Input {
    header: Vec<String>,
    lines: Vec<Vec<String>>,
}

fn input(job: &Job<'_>, part: &Part) -> Input {
    let mut header: Vec<String> = match &part.act {
        Act::Insert => Vec::new(),
        Act::Upsert(field) => vec![field.clone()],
        Act::Update | Act::Delete => vec!["Id".to_owned()],
    };
    if part.act != Act::Delete {
        for name in part.items.iter().flat_map(|item| job.writes[*item].fields.keys()) {
            if !header.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                header.push(name.clone());
            }
        }
    }
    let lines = part.items.iter().map(|item| line(job, *item, &header)).collect();
    Input { header, lines }
}

fn line(job: &Job<'_>, item: usize, header: &[String]) -> Vec<String> {
    let write = &job.writes[item];
    let named = |name: &String| write.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| cell(value));
    let own = |name: &String| match &write.act {
        WriteAct::Update { id } | WriteAct::Delete { id } if name == "Id" => Some(id.clone()),
        WriteAct::Create { unique: Some((field, value)) } if field == name => Some(cell(value)),
        _ => None,
    };
    header.iter().map(|name| own(name).or_else(|| named(name)).unwrap_or_default()).collect()
}

async fn one(job: &Job<'_>, part: &Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let input = input(job, part);
    let id = begun(job, part, &input).await?;
    match jobs::start(job.session, job.settings, &id).await {
        Ok(()) => {}
        Err(fault @ Fault::Lost { .. }) => {
            unknown(part, outcomes, &fault);
            return Ok(());
        }
        Err(fault) => {
            jobs::abandon(job.session, job.settings, &id).await;
            return Err(fault);
        }
    }
    if let Err(fault) = finished(job, part, &input, &id, outcomes).await {
        // The job has begun: what came of it is not known.
        let message = format!("a bulk job's results could not be read: {}", fault.code());
        unknown(part, outcomes, &Fault::Lost { message });
    }
    Ok(())
}

/// Makes the job and gives it its input.
async fn begun(job: &Job<'_>, part: &Part, input: &Input) -> Result<String, Fault> {
    let operation = match &part.act {
        Act::Insert => "insert",
        Act::Upsert(_) => "upsert",
        Act::Update => "update",
        Act::Delete => "delete",
    };
    let mut body = json!({"object": job.object, "operation": operation, "contentType": "CSV", "lineEnding": "LF"});
    if let Act::Upsert(field) = &part.act {
        body["externalIdFieldName"] = json!(field);
    }
    let id = jobs::make(job.session, job.settings, "ingest", body).await?;
    let call = job.settings.call(Method::PUT, &["jobs", "ingest", &id, "batches"])?;
    // A job takes one input: the same again is refused.
    let call = call.bytes("text/csv", cells::write(&input.header, &input.lines)).repeatable(false);
    match driver::fetch(job.session, &RestDialect, call).await {
        Ok(_) => Ok(id),
        Err(fault) => {
            jobs::abandon(job.session, job.settings, &id).await;
            // Nothing is done by a job that was not begun.
            Err(if let Fault::Lost { message } = fault { Fault::Unavailable { message } } else { fault })
        }
    }
}

/// Waits for the job and reads its results.
async fn finished(job: &Job<'_>, part: &Part, input: &Input, id: &str, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let state = jobs::watch(job.session, job.settings, "ingest", id, PATIENCE).await?;
    if state == jobs::State::Working {
        return Err(Fault::Unavailable { message: "the job takes too long".to_owned() });
    }
    let mut waiting = Waiting::new(job, part, input);
    for which in ["successfulResults", "failedResults", "unprocessedrecords"] {
        let call = job.settings.call(Method::GET, &["jobs", "ingest", id, which])?;
        let sheet = cells::read(&driver::fetch(job.session, &RestDialect, call).await?.body)?;
        let column = |name: &str| sheet.header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let columns: Vec<_> = input.header.iter().map(|name| column(name)).collect();
        let (id_at, created_at, error_at) = (column("sf__Id"), column("sf__Created"), column("sf__Error"));
        for line in &sheet.lines {
            let cells: Vec<_> = columns.iter().map(|at| at.and_then(|at| line.get(at)).unwrap_or_default().to_owned()).collect();
            let Some(item) = waiting.take(&cells) else { continue };
            let text = |at: Option<usize>| at.and_then(|at| line.get(at)).filter(|text| !text.is_empty());
            outcomes[item] = Some(match which {
                "successfulResults" => done(&part.act, &job.writes[item], text(id_at), text(created_at).map(|text| text == "true")),
                "failedResults" => refused(&part.act, said(text(error_at).unwrap_or_default()), &Value::Null),
                _ => Outcome::Failed(not_reached(&state)),
            });
        }
    }
    unknown(part, outcomes, &Fault::Lost { message: "a bulk job says nothing of this item".to_owned() });
    Ok(())
}

fn not_reached(state: &jobs::State) -> Fault {
    match state {
        jobs::State::Failed(message) => Fault::Refused { code: "JOB_FAILED".to_owned(), message: message.clone(), field: None },
        _ => Fault::Unavailable { message: "the job ended before it came to this item".to_owned() },
    }
}

fn unknown(part: &Part, outcomes: &mut [Option<Outcome>], fault: &Fault) {
    for item in &part.items {
        outcomes[*item].get_or_insert_with(|| Outcome::Unknown(fault.clone()));
    }
}

/// `REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --`.
fn said(text: &str) -> Said {
    let text = text.trim_end().trim_end_matches('-').trim_end();
    let (code, rest) = text.split_once(':').unwrap_or((text, ""));
    let (message, fields) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let fields = fields.split(',').map(str::trim).filter(|name| !name.is_empty() && !name.contains(' ')).map(str::to_owned).collect();
    Said { code: driver::bounded(code), message: driver::bounded(message), fields }
}

/// The items that no result was found for yet, by what tells them apart.
struct Waiting<'a> {
    act: &'a Act,
    items: HashMap<Vec<String>, VecDeque<usize>>,
}

impl<'a> Waiting<'a> {
    fn new(job: &Job<'_>, part: &'a Part, input: &Input) -> Self {
        let mut items: HashMap<_, VecDeque<_>> = HashMap::new();
        for (item, line) in part.items.iter().zip(&input.lines) {
            let key = match unique(&job.writes[*item]) {
                Some(value) if matches!(part.act, Act::Upsert(_)) => vec![value],
                _ => key(&part.act, line),
            };
            items.entry(key).or_default().push_back(*item);
        }
        Self { act: &part.act, items }
    }

    /// The item of a line. Lines that are the same are as good as each other.
    fn take(&mut self, line: &[String]) -> Option<usize> {
        self.items.get_mut(&key(self.act, line))?.pop_front()
    }
}

fn key(act: &Act, line: &[String]) -> Vec<String> {
    let first = line.first().map(String::as_str).unwrap_or_default();
    match act {
        Act::Insert => line.to_vec(),
        Act::Upsert(_) => vec![comparable(&Value::from(first)).unwrap_or_default()],
        Act::Update | Act::Delete => vec![ids::full(first).unwrap_or_else(|| first.to_owned())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_line_says_why() {
        let expected = Said {
            code: "REQUIRED_FIELD_MISSING".into(),
            message: "Required fields are missing: [Company]".into(),
            fields: vec!["Company".into()],
        };
        assert_eq!(said("REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"), expected);
        let expected = Said { code: "ENTITY_IS_DELETED".into(), message: "entity is deleted".into(), fields: vec![] };
        assert_eq!(said("ENTITY_IS_DELETED:entity is deleted:--"), expected);
        assert_eq!(said(""), Said::default());
    }
}
