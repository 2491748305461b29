//! Jobs that read.

use super::{Job, csv};
use crate::salesforce::failure::Failure;
use crate::salesforce::org::{Org, Scene};
use crate::salesforce::query::{bulk_fields, plain};
use crate::soql;
use crate::stand::Answer;

/// Rows of a page of results, unless `maxRecords` says otherwise.
const PAGE: usize = 50_000;

fn parsed(text: &str) -> Result<soql::Query, Failure> {
    soql::parse(text).map_err(|why| Failure::new(400, "API_ERROR", format!("MALFORMED_QUERY: {why}")))
}

/// The object of a query that can be run.
pub(super) fn checked(org: &Org, scene: &Scene<'_>, text: &str) -> Result<String, Failure> {
    let query = parsed(text)?;
    org.select(&soql::Query { limit: Some(0), ..query.clone() }, false, scene.at.stand.now())?;
    bulk_fields(org, &query)?;
    Ok(org.object(&query.object)?.name.clone())
}

/// Finds the rows.
pub(super) fn work(org: &Org, scene: &Scene<'_>, job: &mut Job) -> Result<(), Failure> {
    let query = parsed(job.query.as_deref().unwrap_or_default())?;
    let now = scene.at.stand.now();
    let rows = query.bounded(org.select(&query, job.operation == "queryAll", now)?);
    job.header = bulk_fields(org, &query)?;
    let found = org.plain_rows(&job.object, &rows, &job.header, now);
    job.done = found.iter().map(|row| row.iter().map(plain).collect()).collect();
    Ok(())
}

/// A page of rows. The locator is the number of those before; the last page's is `null`.
pub(super) fn results(job: &Job, scene: &Scene<'_>) -> Result<Answer, Failure> {
    if job.state != "JobComplete" {
        return Err(Failure::new(400, "INVALIDJOBSTATE", "The job is not complete"));
    }
    let at = match scene.call.param("locator") {
        None => 0,
        Some(text) => text
            .strip_prefix("MTox")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Failure::new(400, "INVALID_LOCATOR", "Invalid locator"))?,
    };
    let end = job.done.len().min(at + scene.call.number("maxRecords").unwrap_or(PAGE).max(1));
    let rows = job.done.get(at..end).unwrap_or_default();
    let text = csv::write(std::iter::once(&job.header).chain(rows), job.delimiter, job.line_ending);
    let locator = if end < job.done.len() { format!("MTox{end}") } else { "null".to_owned() };
    Ok(Answer::raw(200, "text/csv", text).with("sforce-locator", &locator).with("sforce-numberofrecords", &rows.len().to_string()))
}
