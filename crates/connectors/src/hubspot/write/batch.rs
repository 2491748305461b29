//! One batch: asking, and telling which answer is whose.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::dialect::{self, Speech};
use super::super::rows::{self, Listing, Row, Wanted};
use super::super::settings::Settings;
use super::super::{associations, objects, values};
use crate::{Call, Fault, Outcome, Session, driver};

/// One input of a batch.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// Its place in what was given; its trace id, too.
    pub(super) at: usize,
    /// The id that it is about; empty for a new record.
    pub(super) id: String,
    /// The whole of it, without the trace id.
    pub(super) body: Value,
}

/// What HubSpot says of one input.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Done(Box<Row>),
    Failed(Fault),
    /// The answer was lost on the way, or does not mention it.
    Unknown(Fault),
}

/// A batch's kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    /// As in the path.
    pub(super) name: &'static str,
    /// Doing it twice does no harm.
    pub(super) repeatable: bool,
}

/// Properties as HubSpot wants to be told them; associations stay out.
pub(super) fn properties(fields: &Map<String, Value>) -> Map<String, Value> {
    let own = fields.iter().filter(|(name, _)| associations::target(name).is_none());
    own.map(|(name, value)| (name.clone(), Value::String(values::told(value)))).collect()
}

/// Runs a batch of any size. Errors: a fault that concerns all of it, with nothing done.
pub(super) async fn run(
    session: &Session,
    object: &str,
    verb: Verb,
    inputs: &[Input],
    wanted: &Wanted<'_>,
) -> Result<Vec<(usize, Said)>, Fault> {
    let mut said = Vec::with_capacity(inputs.len());
    // What waits, the first last. Halves of a refused batch come before the rest, so that the order of writing stays.
    let mut waiting: Vec<&[Input]> = inputs.chunks(objects::BATCH).rev().collect();
    while let Some(part) = waiting.pop() {
        match asked(session, object, verb, part, wanted).await {
            Ok(listing) => said.extend(sorted(part, listing)),
            Err(fault @ Fault::Refused { .. }) if part.len() > 1 => {
                let (guilty, rest) = blamed(&fault, part);
                if guilty.is_empty() {
                    let (first, second) = part.split_at(part.len() / 2);
                    waiting.extend([second, first]);
                } else {
                    said.extend(guilty.into_iter().map(|at| (at, Said::Failed(fault.clone()))));
                    waiting.extend(rest.into_iter().rev());
                }
            }
            Err(fault @ Fault::Refused { .. }) => said.extend(part.iter().map(|input| (input.at, Said::Failed(fault.clone())))),
            Err(fault @ Fault::Lost { .. }) => said.extend(part.iter().map(|input| (input.at, Said::Unknown(fault.clone())))),
            Err(fault) if said.is_empty() && waiting.iter().map(|part| part.len()).sum::<usize>() + part.len() == inputs.len() => {
                return Err(fault);
            }
            Err(fault) => {
                let rest = waiting.drain(..).flatten().chain(part);
                said.extend(rest.map(|input| (input.at, Said::Failed(fault.clone()))));
            }
        }
    }
    Ok(said)
}

/// The items with a property that does not exist or cannot be written: no value of it would do. The others, in runs.
fn blamed<'i>(fault: &Fault, part: &'i [Input]) -> (Vec<usize>, Vec<&'i [Input]>) {
    let Fault::Refused { code, field: Some(field), .. } = fault else { return (Vec::new(), Vec::new()) };
    if !matches!(code.as_str(), "PROPERTY_DOESNT_EXIST" | "READ_ONLY_VALUE") {
        return (Vec::new(), Vec::new());
    }
    let has = |input: &Input| input.body["properties"].get(field).is_some();
    let guilty = part.iter().filter(|input| has(input)).map(|input| input.at).collect();
    (guilty, part.split(has).filter(|run| !run.is_empty()).collect())
}

async fn asked(session: &Session, object: &str, verb: Verb, part: &[Input], wanted: &Wanted<'_>) -> Result<Listing, Fault> {
    let settings = Settings::of(session)?;
    let inputs: Vec<Value> = part
        .iter()
        .map(|input| {
            let mut body = input.body.clone();
            body["objectWriteTraceId"] = json!(input.at.to_string());
            body
        })
        .collect();
    let target = settings.objects(object, &["batch", verb.name])?;
    let call = Call::post(target, json!({"inputs": inputs})).repeatable(verb.repeatable);
    let answer = driver::ask(session, &Speech::of(&settings), call).await?;
    // It was taken; if nobody can read what became of it, that is not known.
    rows::listing(&answer.body, wanted).map_err(|_| Fault::Lost { message: "HubSpot's answer to a batch cannot be read.".to_owned() })
}

/// Which answer is whose: by trace id, else by id.
fn sorted(part: &[Input], listing: Listing) -> Vec<(usize, Said)> {
    let mut said: BTreeMap<usize, Said> = BTreeMap::new();
    let by_id = |id: &str| part.iter().find(|input| !input.id.is_empty() && input.id == id).map(|input| input.at);
    for row in listing.rows {
        let at = row.trace.as_deref().and_then(|trace| trace.parse().ok()).or_else(|| by_id(&row.record.id));
        if let Some(at) = at {
            said.insert(at, Said::Done(Box::new(row)));
        }
    }
    for error in &listing.errors {
        let fault = dialect::inside(error, false);
        let context = &error["context"];
        let texts = |name: &str| context[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        let traced: Vec<usize> = texts("objectWriteTraceId").iter().filter_map(|trace| trace.parse().ok()).collect();
        let mut meant = traced;
        if meant.is_empty() {
            meant = ["ids", "id"].iter().flat_map(|name| texts(name)).filter_map(by_id).collect();
        }
        for at in meant {
            let one = if matches!(fault, Fault::Lost { .. }) { Said::Unknown(fault.clone()) } else { Said::Failed(fault.clone()) };
            said.entry(at).or_insert(one);
        }
    }
    let own = |input: &Input| (input.at, said.remove(&input.at).unwrap_or_else(|| Said::Unknown(unmentioned())));
    part.iter().map(own).collect()
}

fn unmentioned() -> Fault {
    Fault::Lost { message: "HubSpot's answer does not say what became of this record.".to_owned() }
}

/// The outcome of an item of which nobody spoke.
pub(super) fn silent() -> Outcome {
    Outcome::Unknown(unmentioned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(at: usize, id: &str, property: &str) -> Input {
        Input { at, id: id.to_owned(), body: json!({"id": id, "properties": {property: "x"}}) }
    }

    #[test]
    fn answers_find_their_items_whatever_the_order() {
        let part = [input(4, "11", "a"), input(5, "12", "a"), input(6, "13", "a"), input(7, "14", "a")];
        let answer = json!({"results": [{"id": "99", "objectWriteTraceId": "5"}, {"id": "11"}], "errors": [
            {"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": ["6"]}}]});
        let listing = rows::listing(answer.to_string().as_bytes(), &Wanted::new([])).unwrap();
        let said = sorted(&part, listing);
        assert!(matches!(&said[0], (4, Said::Done(row)) if row.record.id == "11"));
        assert!(matches!(&said[1], (5, Said::Done(row)) if row.record.id == "99"));
        assert!(matches!(&said[2], (6, Said::Failed(Fault::Refused { .. }))));
        assert!(matches!(&said[3], (7, Said::Unknown(Fault::Lost { .. }))));
    }

    #[test]
    fn a_property_that_is_none_takes_only_those_that_have_it() {
        let part = [input(0, "", "good"), input(1, "", "bad"), input(2, "", "good"), input(3, "", "bad")];
        let fault = |code: &str| Fault::Refused { code: code.to_owned(), message: String::new(), field: Some("bad".to_owned()) };
        let (guilty, rest) = blamed(&fault("PROPERTY_DOESNT_EXIST"), &part);
        assert_eq!((guilty, rest.iter().map(|run| run[0].at).collect::<Vec<_>>()), (vec![1, 3], vec![0, 2]));
        assert!(blamed(&fault("INVALID_EMAIL"), &part).0.is_empty());
    }
}
