//! A full load as a query job: one job, results by parts.

use std::time::Duration;

use http::Method;
use kernel::Timestamp;
use serde_json::{Map, Value, json};

use super::{cells, jobs};
use crate::driver;
use crate::salesforce::dialect::RestDialect;
use crate::salesforce::kinds::{self, Kind};
use crate::salesforce::pages::Scan;
use crate::salesforce::settings::Settings;
use crate::salesforce::tokens::PageToken;
use crate::salesforce::{ids, times};
use crate::{Fault, Page, RemoteRecord};

/// Rows of a part: memory is bounded by it.
const PART: &str = "5000";
/// So long one page waits for the job; then it comes empty, with the same place as its next, and the run can note that it is alive.
const PATIENCE: Duration = Duration::from_secs(20);

/// A job whose results are read.
#[derive(Debug)]
pub(in crate::salesforce) struct Read {
    pub(in crate::salesforce) job: String,
    pub(in crate::salesforce) version: String,
    pub(in crate::salesforce) kinds: Vec<Kind>,
    pub(in crate::salesforce) locator: Option<String>,
    pub(in crate::salesforce) cursor: Timestamp,
    pub(in crate::salesforce) total: u64,
}

impl Read {
    fn token(self, scan: &Scan<'_>, locator: Option<String>) -> PageToken {
        let Self { job, version, kinds, cursor, total, .. } = self;
        PageToken::Job { job, version, kinds, locator, cursor, total, of: scan.mark.clone() }
    }
}

/// Makes the job; where its results begin.
///
/// Errors: [`Fault::Refused`] for what no job can read; as the vendor says.
pub(in crate::salesforce) async fn begin(scan: &Scan<'_>, cursor: Timestamp, total: u64) -> Result<PageToken, Fault> {
    let known = kinds::kinds(scan.session, &scan.settings, &scan.query.object).await?;
    let kinds = scan.fields.iter().map(|field| {
        // What is reached over a relation is not in the description. Its cell would be a guess.
        known.get(&field.to_ascii_lowercase()).copied().ok_or_else(|| Fault::Refused {
            code: "INVALID_FIELD".to_owned(),
            message: format!("the kind of `{field}` is not known"),
            field: Some(field.clone()),
        })
    });
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    // Without an order Salesforce can work through the object in chunks of ids.
    let query = crate::salesforce::soql::Query { order: "", ..scan.query.clone() };
    let body = json!({"operation": "query", "query": query.text()});
    let job = jobs::make(scan.session, &scan.settings, "query", body).await?;
    let version = scan.settings.version.clone();
    Ok(PageToken::Job { job, version, kinds, locator: None, cursor, total, of: scan.mark.clone() })
}

/// A part of the results.
///
/// Errors: [`Fault::Stale`] when the job is no longer there; as the vendor says.
pub(in crate::salesforce) async fn part(scan: &Scan<'_>, read: Read) -> Result<Page, Fault> {
    let settings = Settings { version: read.version.clone(), ..scan.settings.clone() };
    if read.locator.is_none() {
        match jobs::watch(scan.session, &settings, "query", &read.job, PATIENCE).await {
            Ok(jobs::State::Done) => {}
            Ok(jobs::State::Working) => {
                let total = Some(read.total);
                return Ok(Page { next: Some(read.token(scan, None).write()), total, ..Page::default() });
            }
            Ok(jobs::State::Failed(_)) => return Ok(Page { next: Some(PageToken::Plain.write()), ..Page::default() }),
            Err(Fault::NotFound { .. }) => return Err(Fault::stale("the job is no longer there")),
            Err(fault) => return Err(fault),
        }
    }
    let call = settings.call(Method::GET, &["jobs", "query", &read.job, "results"])?;
    let call = call.query("maxRecords", PART).query_if("locator", read.locator.clone());
    let answer = match driver::fetch(scan.session, &RestDialect, call).await {
        Err(Fault::NotFound { .. } | Fault::Refused { .. }) => return Err(Fault::stale("the job's results are no longer there")),
        other => other?,
    };
    let locator = answer.header("sforce-locator").filter(|locator| !locator.is_empty() && *locator != "null").map(str::to_owned);
    let records = records(&cells::read(&answer.body)?, scan.fields, &read.kinds)?;
    let total = Some(read.total);
    if locator.is_some() {
        return Ok(Page { records, next: Some(read.token(scan, locator).write()), cursor: None, total });
    }
    // The job stays until Salesforce removes it after a week: a run that is killed here asks for this part again.
    Ok(Page { records, next: None, cursor: Some(read.cursor.to_string()), total })
}

/// Lines as records.
fn records(sheet: &cells::Sheet, fields: &[String], kinds: &[Kind]) -> Result<Vec<RemoteRecord>, Fault> {
    if sheet.lines.is_empty() {
        return Ok(Vec::new());
    }
    let column = |name: &str| {
        let found = sheet.header.iter().position(|column| column.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Fault::Unavailable { message: format!("a job's result has no column `{name}`") })
    };
    let (id, modified) = (column("Id")?, column("SystemModstamp")?);
    let columns = fields.iter().zip(kinds).map(|(field, kind)| Ok((field, *kind, column(field)?)));
    let columns = columns.collect::<Result<Vec<_>, Fault>>()?;
    let one = |line: &csv::StringRecord| {
        let mut found = Map::with_capacity(columns.len());
        for (field, kind, at) in &columns {
            found.insert((*field).clone(), line.get(*at).map_or(Value::Null, |cell| kind.value(cell)));
        }
        let modified_at = line.get(modified).and_then(times::parse);
        Some(RemoteRecord { id: ids::full(line.get(id)?)?, fields: found, modified_at, deleted: false, merged_into: None })
    };
    Ok(sheet.lines.iter().filter_map(one).collect())
}
