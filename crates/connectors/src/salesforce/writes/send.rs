//! One collection, sent and read.

use http::Method;
use serde_json::{Map, Value, json};

use super::Job;
use super::parts::{Act, Part};
use crate::salesforce::dialect::RestDialect;
use crate::{Call, Fault, Outcome, WriteAct, driver};

use super::outcomes;

/// Sends a part of at most 200 items and notes the outcome of each. A lost answer is an outcome too.
///
/// Errors: a fault after which nothing of the part was done.
pub(super) async fn send(job: &Job<'_>, part: &Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let call = call(job, part)?;
    let answer = match driver::ask(job.session, &RestDialect, call).await {
        Ok(answer) => answer,
        Err(fault @ Fault::Lost { .. }) => {
            for item in &part.items {
                outcomes[*item] = Some(Outcome::Unknown(fault.clone()));
            }
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    let results = answer.json.as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, item) in part.items.iter().enumerate() {
        let result = results.get(at).unwrap_or(&Value::Null);
        outcomes[*item] = Some(outcomes::of(&part.act, &job.writes[*item], result));
    }
    Ok(())
}

fn call(job: &Job<'_>, part: &Part) -> Result<Call, Fault> {
    let settings = job.settings;
    let body = || {
        let records: Vec<_> = part.items.iter().map(|item| record(job, &part.act, *item)).collect();
        json!({"allOrNone": false, "records": records})
    };
    let call = match &part.act {
        // A row that is made twice is two rows.
        Act::Insert => settings.call(Method::POST, &["composite", "sobjects"])?.json(body()),
        Act::Upsert(field) => settings.call(Method::PATCH, &["composite", "sobjects", job.object, field])?.json(body()).repeatable(true),
        Act::Update => settings.call(Method::PATCH, &["composite", "sobjects"])?.json(body()).repeatable(true),
        Act::Delete => {
            let ids: Vec<_> = part.items.iter().map(|item| id(job, *item)).collect();
            let call = settings.call(Method::DELETE, &["composite", "sobjects"])?;
            call.query("ids", ids.join(",")).query("allOrNone", "false")
        }
    };
    Ok(if settings.allows_duplicates { call.header("sforce-duplicate-rule-header", "allowSave=true") } else { call })
}

fn id<'a>(job: &Job<'a>, item: usize) -> &'a str {
    match &job.writes[item].act {
        WriteAct::Update { id } | WriteAct::Delete { id } => id,
        WriteAct::Create { .. } => "",
    }
}

fn record(job: &Job<'_>, act: &Act, item: usize) -> Value {
    let write = &job.writes[item];
    let mut record = Map::with_capacity(write.fields.len() + 2);
    record.insert("attributes".to_owned(), json!({"type": job.object}));
    if *act == Act::Update {
        record.insert("id".to_owned(), Value::from(id(job, item)));
    }
    record.extend(write.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    if let WriteAct::Create { unique: Some((field, value)) } = &write.act
        && !write.fields.keys().any(|name| name.eq_ignore_ascii_case(field))
    {
        record.insert(field.clone(), value.clone());
    }
    Value::Object(record)
}
