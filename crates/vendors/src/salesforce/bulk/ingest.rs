//! Jobs that write.

use serde_json::{Map, Value};

use super::{Job, csv};
use crate::salesforce::failure::Failure;
use crate::salesforce::org::{Org, Scene};
use crate::salesforce::sobjects;
use crate::stand::Answer;

/// Writes the rows of a job's input one by one; what fails is noted with its reason.
pub(super) fn work(org: &mut Org, scene: &Scene<'_>, job: &mut Job) -> Result<(), Failure> {
    let mut rows = csv::read(&job.input, job.delimiter).into_iter();
    job.header = rows.next().ok_or_else(|| Failure::new(400, "InvalidBatch", "The input has no header"))?;
    for (index, row) in rows.enumerate() {
        let named: Map<String, Value> = job.header.iter().zip(&row).map(|(name, text)| (name.clone(), given(text))).collect();
        let outcome = if scene.call.spoils(index) {
            Err(Failure::new(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"))
        } else {
            one(org, scene, job, named)
        };
        match outcome {
            Ok((id, created)) => job.done.push([id, created.to_string()].into_iter().chain(row).collect()),
            Err(why) => {
                let text = format!("{}:{}:{} --", why.code, why.message, why.fields.join(","));
                job.failed.push([String::new(), text].into_iter().chain(row).collect());
            }
        }
    }
    Ok(())
}

/// An empty field says nothing; `#N/A` empties.
fn given(text: &str) -> Value {
    if text == "#N/A" { Value::Null } else { Value::from(text) }
}

fn one(org: &mut Org, scene: &Scene<'_>, job: &Job, mut fields: Map<String, Value>) -> Result<(String, bool), Failure> {
    fields.retain(|_, value| *value != "");
    let named = |fields: &mut Map<String, Value>, wanted: &str| {
        let name = fields.keys().find(|name| name.eq_ignore_ascii_case(wanted)).cloned().unwrap_or_default();
        fields.remove(&name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    match job.operation.as_str() {
        "insert" => org.create(scene, &job.object, &fields).map(|id| (id, true)),
        "update" => {
            let id = named(&mut fields, "Id");
            org.change(scene, &job.object, &id, &fields).map(|()| (id, false))
        }
        "upsert" => {
            let field = job.external_id.clone().unwrap_or_default();
            let value = named(&mut fields, &field);
            sobjects::upsert(org, scene, &job.object, &field, &value, &fields)
        }
        _ => {
            let id = named(&mut fields, "Id");
            org.delete(scene, &job.object, &id).map(|()| (id, false))
        }
    }
}

/// Rows that succeeded, failed or were not looked at.
pub(super) fn results(job: &Job, which: &str) -> Answer {
    let lead: &[&str] = match which {
        "successfulResults" => &["sf__Id", "sf__Created"],
        "failedResults" => &["sf__Id", "sf__Error"],
        _ => &[],
    };
    let header: Vec<_> = lead.iter().map(|name| (*name).to_owned()).chain(job.header.iter().cloned()).collect();
    let rows: &[Vec<String>] = match which {
        "successfulResults" => &job.done,
        "failedResults" => &job.failed,
        _ => &[],
    };
    Answer::raw(200, "text/csv", csv::write(std::iter::once(&header).chain(rows), job.delimiter, job.line_ending))
}
