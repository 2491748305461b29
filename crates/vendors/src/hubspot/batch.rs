//! Up to 100 rows in one call. Where some fail, the answer is 207 and names them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::failure::Failure;
use super::portal::{Portal, Scene};
use super::rows;
use crate::stand::Answer;
use crate::stand::text::rfc3339;
use crate::tables::How;

/// Rows of one call.
const MAX: usize = 100;

pub(super) fn answer(portal: &mut Portal, scene: &Scene<'_>, kind: &str, what: &str) -> Result<Answer, Failure> {
    let body = scene.body()?;
    let inputs = body["inputs"].as_array().cloned().ok_or_else(|| Failure::invalid("inputs is missing"))?;
    if inputs.len() > MAX {
        return Err(Failure::invalid(format!("The maximum number of inputs supported in a batch request for property histories is {MAX}")));
    }
    let by = |input: &Value| input["idProperty"].as_str().or(body["idProperty"].as_str()).map(str::to_owned);
    match what {
        "read" => read(portal, scene, kind, &body, &inputs),
        "create" => each(portal, scene, 201, &inputs, |portal, input| {
            let id = portal.create(scene, kind, input)?;
            portal.written(kind, id)
        }),
        "update" => {
            distinct(&inputs)?;
            each(portal, scene, 200, &inputs, |portal, input| {
                let id = portal.kind(kind)?.present(text(input), by(input).as_deref())?.id;
                portal.update(scene, kind, id, &input["properties"])?;
                portal.written(kind, id)
            })
        }
        "upsert" => {
            distinct(&inputs)?;
            each(portal, scene, 200, &inputs, |portal, input| {
                let by = by(input);
                let found = portal.kind(kind)?.number(text(input), by.as_deref());
                let known = match found {
                    Ok(id) => Some(id),
                    Err(failure) if failure.status == 404 => None,
                    Err(failure) => return Err(failure),
                };
                let id = upsert(portal, scene, kind, input, by.as_deref(), known)?;
                let mut value = portal.written(kind, id)?;
                value["new"] = json!(known.is_none());
                Ok(value)
            })
        }
        "archive" => {
            for input in &inputs {
                if let Ok(id) = portal.kind(kind)?.number(text(input), None) {
                    let _ = portal.remove(scene, kind, id, How::Bin);
                }
            }
            Ok(Answer::empty(204))
        }
        _ => Err(Failure::not_found()),
    }
}

fn upsert(portal: &mut Portal, scene: &Scene<'_>, kind: &str, input: &Value, by: Option<&str>, known: Option<u64>) -> Result<u64, Failure> {
    if let Some(id) = known {
        return portal.update(scene, kind, id, &input["properties"]).map(|()| id);
    }
    let by = by.ok_or_else(Failure::not_found)?;
    let mut input = input.clone();
    input["properties"][by] = json!(text(&input));
    portal.create(scene, kind, &input)
}

fn text(input: &Value) -> &str {
    input["id"].as_str().unwrap_or_default()
}

/// One row may be there only once.
fn distinct(inputs: &[Value]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    let twice: Vec<_> = inputs.iter().map(text).filter(|id| !seen.insert(*id)).collect();
    if twice.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(format!("Duplicate IDs found in batch input: [{}]. IDs must be unique", twice.join(", "))))
    }
}

/// Works through the inputs. Rows that are not there are told in one error. Other failures are told one by one where every input has an
/// `objectWriteTraceId`; else the first of them fails the whole call, and nothing is done.
fn each(
    portal: &mut Portal,
    scene: &Scene<'_>,
    good: u16,
    inputs: &[Value],
    mut work: impl FnMut(&mut Portal, &Value) -> Result<Value, Failure>,
) -> Result<Answer, Failure> {
    let traced = inputs.iter().all(|input| input["objectWriteTraceId"].is_string());
    let (firsts, pending) = (portal.begin(), portal.pending.len());
    let outcome = all(portal, scene, inputs, traced, &mut work);
    portal.end(outcome.is_err(), &firsts);
    if outcome.is_err() {
        portal.pending.truncate(pending);
    }
    outcome.map(|(results, errors)| told(scene, good, results, errors))
}

type Work<'w> = dyn FnMut(&mut Portal, &Value) -> Result<Value, Failure> + 'w;

fn all(
    portal: &mut Portal,
    scene: &Scene<'_>,
    inputs: &[Value],
    traced: bool,
    work: &mut Work<'_>,
) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let (mut results, mut errors, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (index, input) in inputs.iter().enumerate() {
        let spoiled = scene.call.spoils(index);
        let outcome =
            if spoiled { Err(Failure::new(409, "CONFLICT", "The object was changed by somebody else")) } else { work(portal, input) };
        match outcome {
            Ok(mut value) => {
                if let Some(trace) = input["objectWriteTraceId"].as_str() {
                    value["objectWriteTraceId"] = json!(trace);
                }
                results.push(value);
            }
            Err(failure) if failure.status == 404 && !traced => missing.push(text(input).to_owned()),
            Err(mut failure) if traced || spoiled => {
                failure.context = json!({"objectWriteTraceId": [input["objectWriteTraceId"]], "id": [text(input)]});
                errors.push(failure.value());
            }
            Err(failure) => return Err(failure),
        }
    }
    errors.extend(not_found(&missing));
    Ok((results, errors))
}

fn not_found(ids: &[String]) -> Option<Value> {
    (!ids.is_empty()).then(|| {
        let message = "Could not get some objects, they may be deleted or not exist. Check that ids are valid.";
        Failure { context: json!({"ids": ids}), ..Failure::new(404, "OBJECT_NOT_FOUND", message) }.value()
    })
}

#[allow(clippy::needless_pass_by_value, reason = "the answer takes the rows over")]
fn told(scene: &Scene<'_>, good: u16, results: Vec<Value>, errors: Vec<Value>) -> Answer {
    let at = rfc3339(scene.at);
    let mut value = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if errors.is_empty() {
        return Answer::json(good, &value);
    }
    value["numErrors"] = json!(errors.len());
    value["errors"] = Value::Array(errors);
    Answer::json(207, &value)
}

fn read(portal: &Portal, scene: &Scene<'_>, kind: &str, body: &Value, inputs: &[Value]) -> Result<Answer, Failure> {
    let found = portal.kind(kind)?;
    let asked: Vec<String> = body["properties"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let by = body["idProperty"].as_str();
    let archived = scene.call.flag("archived");
    let mut known = BTreeMap::new();
    let mut missing = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let row = found.number(text(input), by).ok().and_then(|id| found.rows.any(id));
        match row.filter(|row| row.gone.is_some() == archived && !scene.call.spoils(index)) {
            Some(row) => drop(known.insert(row.id, row)),
            None => missing.push(text(input).to_owned()),
        }
    }
    let results = known.values().map(|row| rows::shown(found, row, Some(&asked))).collect();
    Ok(told(scene, 200, results, not_found(&missing).into_iter().collect()))
}

impl Portal {
    /// Begins an attempt. The numbers of the rows that are made from here on, by type.
    fn begin(&mut self) -> HashMap<String, u64> {
        self.types.iter_mut().for_each(|kind| kind.rows.begin());
        self.types.iter().map(|kind| (kind.name.clone(), kind.rows.next())).collect()
    }

    /// Ends an attempt; what it made goes again, where it failed.
    fn end(&mut self, failed: bool, firsts: &HashMap<String, u64>) {
        self.types.iter_mut().for_each(|kind| kind.rows.end(failed));
        if failed {
            let is_new = |kind: &String, id: u64| firsts.get(kind).is_some_and(|first| id >= *first);
            self.links.retain(|link| !is_new(&link.0, link.1) && !is_new(&link.2, link.3));
        }
    }

    /// A row as the answer to a write shows it.
    pub(super) fn written(&self, kind: &str, id: u64) -> Result<Value, Failure> {
        let found = self.kind(kind)?;
        Ok(rows::whole(found, found.rows.get(id).ok_or_else(Failure::not_found)?))
    }
}
