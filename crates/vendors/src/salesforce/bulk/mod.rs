//! Bulk API 2.0: jobs of CSV. A job's work is done when it is first looked at after its upload was complete, or, for a query, after it was
//! made: so a caller must poll, as at Salesforce.

mod csv;
mod ingest;
mod query;

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::records::time;
use crate::stand::Answer;

/// A job of either kind.
#[derive(Clone, Debug)]
pub(super) struct Job {
    id: String,
    kind: String,
    object: String,
    operation: String,
    external_id: Option<String>,
    query: Option<String>,
    delimiter: char,
    line_ending: &'static str,
    state: &'static str,
    made_at: i64,
    input: String,
    header: Vec<String>,
    /// Results: for an ingest job those that succeeded; for a query its rows.
    done: Vec<Vec<String>>,
    failed: Vec<Vec<String>>,
    message: Option<String>,
}

impl Job {
    fn value(&self, version: &str) -> Value {
        let mut value = json!({
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": super::auth::user_id(1),
            "createdDate": time(self.made_at), "systemModstamp": time(self.made_at), "state": self.state, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": version.trim_start_matches('v').parse::<f64>().unwrap_or(62.0),
                "jobType": if self.kind == "query" { "V2Query" } else { "V2Ingest" },
            "lineEnding": if self.line_ending == "\r\n" { "CRLF" } else { "LF" }, "columnDelimiter": csv::name(self.delimiter),
            "numberRecordsProcessed": self.done.len() + self.failed.len(), "numberRecordsFailed": self.failed.len(), "retries": 0,
            "totalProcessingTime": 1, "apiActiveProcessingTime": 1, "apexProcessingTime": 0,
        });
        if self.kind == "ingest" {
            value["contentUrl"] = json!(format!("services/data/{version}/jobs/ingest/{}/batches", self.id));
        }
        if let Some(field) = &self.external_id {
            value["externalIdFieldName"] = json!(field);
        }
        if let Some(message) = &self.message {
            value["errorMessage"] = json!(message);
        }
        value
    }
}

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>, kind: &str, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("POST", []) => open(org, scene, kind),
        ("GET", []) => {
            let jobs: Vec<_> = org.jobs.iter().filter(|job| job.kind == kind).map(|job| job.value(scene.version)).collect();
            Ok(Answer::json(200, &json!({"done": true, "records": jobs, "nextRecordsUrl": null})))
        }
        (_, [id, rest @ ..]) => {
            let missing = || Failure::not_found("The requested resource does not exist");
            let at = org.jobs.iter().position(|job| job.id == *id && job.kind == kind).ok_or_else(missing)?;
            one(org, scene, at, rest)
        }
        _ => Err(Failure::not_found("The requested resource does not exist")),
    }
}

fn open(org: &mut Org, scene: &Scene<'_>, kind: &str) -> Result<Answer, Failure> {
    let body = scene.call.json().ok_or_else(Failure::json)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let invalid = |why: &str| Failure::new(400, "INVALIDJOB", why);
    let delimiter =
        csv::delimiter(body["columnDelimiter"].as_str().unwrap_or("COMMA")).ok_or_else(|| invalid("unknown columnDelimiter"))?;
    let mut job = Job {
        id: format!("{}AA", scene.at.stand.token::<7>("75")),
        kind: kind.to_owned(),
        object: text("object").unwrap_or_default(),
        operation: text("operation").unwrap_or_else(|| "query".to_owned()),
        external_id: text("externalIdFieldName"),
        query: text("query"),
        delimiter,
        line_ending: if body["lineEnding"] == "CRLF" { "\r\n" } else { "\n" },
        state: if kind == "query" { "UploadComplete" } else { "Open" },
        made_at: scene.change.at,
        input: String::new(),
        header: Vec::new(),
        done: Vec::new(),
        failed: Vec::new(),
        message: None,
    };
    if kind == "query" {
        job.object = query::checked(org, scene, job.query.as_deref().unwrap_or_default())?;
    } else {
        job.object = org.object(&job.object).map_err(|_| invalid("Unable to find object"))?.name.clone();
        if !matches!(job.operation.as_str(), "insert" | "update" | "upsert" | "delete" | "hardDelete") {
            return Err(invalid("unknown operation"));
        }
        if job.operation == "upsert" && job.external_id.is_none() {
            return Err(invalid("External ID was blank for the upsert operation"));
        }
    }
    let value = job.value(scene.version);
    org.jobs.push(job);
    Ok(Answer::json(200, &value))
}

fn one(org: &mut Org, scene: &Scene<'_>, at: usize, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => {
            let value = org.jobs[at].value(scene.version);
            match org.jobs[at].state {
                // The first look sees it under way, the second one done.
                "UploadComplete" => org.jobs[at].state = "InProgress",
                "InProgress" => {
                    work(org, scene, at);
                    return Ok(Answer::json(200, &org.jobs[at].value(scene.version)));
                }
                _ => {}
            }
            Ok(Answer::json(200, &value))
        }
        ("PATCH", []) => {
            let body = scene.call.json().ok_or_else(Failure::json)?;
            let job = &mut org.jobs[at];
            job.state = match (body["state"].as_str(), job.state) {
                (Some("UploadComplete"), "Open") => "UploadComplete",
                (Some("Aborted"), "Open" | "UploadComplete" | "InProgress") => "Aborted",
                _ => return Err(Failure::new(400, "INVALIDJOBSTATE", "Invalid job state for this operation")),
            };
            Ok(Answer::json(200, &job.value(scene.version)))
        }
        ("DELETE", []) => {
            org.jobs.remove(at);
            Ok(Answer::empty(204))
        }
        ("PUT", ["batches"]) => {
            let job = &mut org.jobs[at];
            if job.state != "Open" {
                return Err(Failure::new(400, "INVALIDJOBSTATE", "Found multiple contents for job: upload is complete"));
            }
            job.input = String::from_utf8_lossy(&scene.call.body).into_owned();
            Ok(Answer::empty(201))
        }
        ("GET", ["results"]) => query::results(&org.jobs[at], scene),
        ("GET", [which @ ("successfulResults" | "failedResults" | "unprocessedrecords")]) => Ok(ingest::results(&org.jobs[at], which)),
        _ => Err(Failure::not_found("The requested resource does not exist")),
    }
}

fn work(org: &mut Org, scene: &Scene<'_>, at: usize) {
    let mut job = org.jobs[at].clone();
    let outcome = if job.kind == "query" { query::work(org, scene, &mut job) } else { ingest::work(org, scene, &mut job) };
    job.state = if outcome.is_ok() { "JobComplete" } else { "Failed" };
    job.message = outcome.err().map(|failure| format!("{} : {}", failure.code, failure.message));
    org.jobs[at] = job;
}
