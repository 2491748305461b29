//! Writing, up to 100 records in a call, each with a result of its own, whatever the status says.
//!
//! A new record with a unique value is an upsert that must not change anything (`If-Unmodified-Since` long ago): if a record with that value is
//! there, Zoho says so in place of overwriting what nobody has seen. `trigger: []` keeps the account's workflows out of it.

use serde_json::{Map, Value, json};

use super::dialect::{self, Speech};
use super::settings::Settings;
use super::{coql, get, modules};
use crate::waves::waves;
use crate::{Call, Fault, Outcome, RemoteRecord, Session, Write, WriteAct, driver, times};

/// No record of an organisation is as old.
const LONG_AGO: &str = "1990-01-01T00:00:00+00:00";

/// An item with its place in what was given.
type Item<'w> = (usize, &'w Write);

/// One call's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act<'w> {
    Insert,
    /// An insert, unless there is one with this field's value.
    Upsert(&'w str),
    Update,
    Delete,
}

fn act(write: &Write) -> Act<'_> {
    match &write.act {
        WriteAct::Create { unique: Some((field, value)) } if !value.is_null() && value != "" => Act::Upsert(field),
        WriteAct::Create { .. } => Act::Insert,
        WriteAct::Update { .. } => Act::Update,
        WriteAct::Delete { .. } => Act::Delete,
    }
}

fn id(write: &Write) -> &str {
    match &write.act {
        WriteAct::Update { id } | WriteAct::Delete { id } => id,
        WriteAct::Create { .. } => "",
    }
}

pub(super) async fn write(session: &Session, module: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; writes.len()];
    let mut fault = None;
    let mut acts: Vec<Act<'_>> = Vec::new();
    writes.iter().map(act).for_each(|act| {
        if !acts.contains(&act) {
            acts.push(act);
        }
    });
    // New records first, deletions last, as everywhere.
    acts.sort_by_key(|act| match act {
        Act::Insert => 0,
        Act::Upsert(_) => 1,
        Act::Update => 2,
        Act::Delete => 3,
    });
    for act in acts {
        let items: Vec<Item<'_>> = writes.iter().enumerate().filter(|(_, write)| self::act(write) == act).collect();
        let parts = if matches!(act, Act::Update | Act::Delete) { waves(items, |item| id(item.1)) } else { vec![items] };
        for part in parts.iter().flat_map(|part| part.chunks(modules::BATCH)) {
            match call(session, module, act, part).await {
                Ok(told) => told.into_iter().zip(part).for_each(|(outcome, item)| outcomes[item.0] = Some(outcome)),
                Err(lost @ Fault::Lost { .. }) => part.iter().for_each(|item| outcomes[item.0] = Some(Outcome::Unknown(lost.clone()))),
                Err(whole) => {
                    part.iter().for_each(|item| outcomes[item.0] = Some(Outcome::Failed(whole.clone())));
                    fault.get_or_insert(whole);
                }
            }
        }
    }
    // A fault is everybody's only if nothing was done at all.
    let failed = |outcome: &Option<Outcome>| matches!((outcome, &fault), (Some(Outcome::Failed(one)), Some(first)) if one == first);
    match fault.clone() {
        Some(fault) if outcomes.iter().all(failed) => Err(fault),
        _ => Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Outcome::Unknown(unmentioned()))).collect()),
    }
}

fn unmentioned() -> Fault {
    Fault::Lost { message: "Zoho's answer does not say what became of this record.".to_owned() }
}

fn rows(part: &[Item<'_>]) -> Vec<Value> {
    let row = |item: &Item<'_>| {
        let mut fields: Map<String, Value> = item.1.fields.clone();
        if let WriteAct::Update { id } = &item.1.act {
            fields.insert("id".to_owned(), json!(id));
        }
        Value::Object(fields)
    };
    part.iter().map(row).collect()
}

async fn call(session: &Session, module: &str, act: Act<'_>, part: &[Item<'_>]) -> Result<Vec<Outcome>, Fault> {
    let settings = Settings::of(session)?;
    let cost = u32::try_from(part.len().div_ceil(10)).unwrap_or(1);
    let mut body = json!({"data": rows(part)});
    if !settings.runs_workflows {
        body["trigger"] = json!([]);
    }
    let call = match act {
        Act::Insert => Call::post(settings.path(&[module])?, body).cost(cost),
        Act::Upsert(field) => {
            body["duplicate_check_fields"] = json!([coql::name(field)?]);
            // Twice makes one: the second finds the first, and leaves it alone.
            Call::post(settings.path(&[module, "upsert"])?, body).header("if-unmodified-since", LONG_AGO).repeatable(true).cost(cost)
        }
        Act::Update => Call::new(http::Method::PUT, settings.path(&[module])?).json(body).cost(cost),
        Act::Delete => {
            let ids: Vec<&str> = part.iter().map(|item| id(item.1)).collect();
            Call::delete(settings.path(&[module])?).query("ids", ids.join(",")).query("wf_trigger", settings.runs_workflows.to_string())
        }
    };
    let repeatable = call.repeatable;
    let answer = driver::ask(session, &Speech, call).await?;
    let told: &[Value] = answer.json["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    if told.len() != part.len() {
        return Ok(vec![Outcome::Unknown(unmentioned()); part.len()]);
    }
    let mut outcomes = Vec::with_capacity(part.len());
    for (said, item) in told.iter().zip(part) {
        outcomes.push(outcome(session, module, act, item.1, said, repeatable).await);
    }
    Ok(outcomes)
}

/// What Zoho says of one record.
async fn outcome(session: &Session, module: &str, act: Act<'_>, write: &Write, said: &Value, repeatable: bool) -> Outcome {
    let details = &said["details"];
    if said["status"] == "success" {
        let Some(id) = details["id"].as_str() else { return Outcome::Unknown(unmentioned()) };
        let modified_at = details["Modified_Time"].as_str().and_then(times::parse);
        let record = RemoteRecord { id: id.to_owned(), fields: Map::new(), modified_at, deleted: false, merged_into: None };
        return match act {
            Act::Insert => Outcome::Created(record),
            Act::Upsert(_) if said["action"] == "insert" => Outcome::Created(record),
            Act::Upsert(_) | Act::Update => Outcome::Updated(record),
            Act::Delete => Outcome::Deleted,
        };
    }
    match (said["code"].as_str().unwrap_or_default(), act) {
        ("DUPLICATE_DATA", Act::Insert | Act::Upsert(_)) => {
            let id = details["duplicate_record"]["id"].as_str().or_else(|| details["id"].as_str());
            Outcome::Exists { id: id.map(str::to_owned) }
        }
        ("ALREADY_MODIFIED", Act::Upsert(field)) => Outcome::Exists { id: owner(session, module, field, write).await },
        ("INVALID_DATA" | "RECORD_NOT_FOUND" | "ENTITY_ID_INVALID", Act::Delete) => Outcome::Deleted,
        ("RECORD_NOT_FOUND" | "ENTITY_ID_INVALID", Act::Update) => Outcome::Gone { merged_into: None },
        ("INVALID_DATA", Act::Update) if details["api_name"] == "id" => Outcome::Gone { merged_into: None },
        _ => match dialect::inside(said, repeatable) {
            // Zoho says that this row was not saved; that is no lost answer.
            Fault::Lost { message } => Outcome::Failed(Fault::Unavailable { message }),
            fault => Outcome::Failed(fault),
        },
    }
}

/// The record that has a new one's unique value. A query may not know of it yet; an upsert of nothing but that value does, and changes nothing.
async fn owner(session: &Session, module: &str, field: &str, write: &Write) -> Option<String> {
    let value = write.fields.get(field)?;
    let found = get::find(session, module, field, value, &[]).await.ok()?;
    if let [one] = found.as_slice() {
        return Some(one.id.clone());
    }
    if !found.is_empty() {
        return None;
    }
    // Should the record have gone in between, required fields are missing and nothing is made; an account needs no more than its name.
    if module == "Accounts" {
        return None;
    }
    let settings = Settings::of(session).ok()?;
    let body = json!({"data": [{field: value}], "duplicate_check_fields": [field], "trigger": []});
    let answer = driver::ask(session, &Speech, Call::post(settings.path(&[module, "upsert"]).ok()?, body).repeatable(true)).await.ok()?;
    answer.text("/data/0/details/id").map(str::to_owned)
}
