//! Associations between rows, in the forms of v4 and v3.

use serde_json::{Value, json};

use super::events::Event;
use super::failure::Failure;
use super::labels;
use super::portal::{Portal, Scene};
use crate::stand::Answer;
use crate::stand::text::rfc3339;

impl Portal {
    /// Links two rows, from both sides.
    pub(super) fn link(&mut self, scene: &Scene<'_>, from: (&str, u64), to: (&str, u64), label: u32) {
        let back = labels::inverse(from.0, to.0, label);
        let is_new = self.links.insert((from.0.to_owned(), from.1, to.0.to_owned(), to.1, label));
        self.links.insert((to.0.to_owned(), to.1, from.0.to_owned(), from.1, back));
        if is_new {
            self.tell(scene, from.0, from.1, &Event::Association(to.0.to_owned(), to.1, false));
        }
    }

    /// Unlinks two rows, whatever their labels are.
    pub(super) fn unlink(&mut self, scene: &Scene<'_>, from: (&str, u64), to: (&str, u64)) {
        let count = self.links.len();
        self.links.retain(|link| {
            let sides = ((link.0.as_str(), link.1), (link.2.as_str(), link.3));
            sides != (from, to) && sides != (to, from)
        });
        if self.links.len() != count {
            self.tell(scene, from.0, from.1, &Event::Association(to.0.to_owned(), to.1, true));
        }
    }

    /// The links that a new row asks for: type, row, label.
    pub(super) fn asked_links(&self, kind: &str, given: &Value) -> Result<Vec<(String, u64, u32)>, Failure> {
        let own = self.kind(kind)?.name.clone();
        let mut links = Vec::new();
        for one in given.as_array().into_iter().flatten() {
            let id = &one["to"]["id"];
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            for label in one["types"].as_array().into_iter().flatten() {
                let number = label["associationTypeId"].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
                let target = self
                    .types
                    .iter()
                    .find(|target| labels::plain(&own, &target.name) == number || labels::is_primary(&own, &target.name, number));
                let target = target.ok_or_else(|| Failure::invalid(format!("No associationType found with id {number}")))?;
                let row = target.present(&id, None).map_err(|_| Failure::invalid(format!("Associated object {id} does not exist")))?;
                links.push((target.name.clone(), row.id, number));
            }
        }
        Ok(links)
    }

    /// The links of a row to a type, as v4 shows them: one entry for each row, with all labels.
    fn shown_links(&self, from: &str, id: u64, to: &str) -> Vec<Value> {
        let range = (from.to_owned(), id, to.to_owned(), 0, 0)..(from.to_owned(), id, to.to_owned(), u64::MAX, u32::MAX);
        let mut shown: Vec<Value> = Vec::new();
        for link in self.links.range(range) {
            let label = if labels::is_primary(from, to, link.4) { json!("Primary") } else { Value::Null };
            let kind = json!({"category": "HUBSPOT_DEFINED", "typeId": link.4, "label": label});
            match shown.iter_mut().find(|one| one["toObjectId"] == link.3) {
                Some(one) => one["associationTypes"].as_array_mut().into_iter().for_each(|kinds| kinds.push(kind.clone())),
                None => shown.push(json!({"toObjectId": link.3, "associationTypes": [kind]})),
            }
        }
        shown
    }
}

/// `/objects/{type}/{id}/associations/…`
pub(super) fn of(portal: &mut Portal, scene: &Scene<'_>, (kind, id): (&str, &str), rest: &[&str]) -> Result<Answer, Failure> {
    let own = portal.kind(kind)?.name.clone();
    let row = portal.kind(kind)?.present(id, None)?.id;
    let target = |portal: &Portal, kind: &str, id: &str| -> Result<(String, u64), Failure> {
        let found = portal.kind(kind)?;
        Ok((found.name.clone(), found.present(id, None)?.id))
    };
    match (scene.call.method.as_str(), rest) {
        ("GET", [to]) => {
            let to = portal.kind(to)?.name.clone();
            Ok(Answer::json(200, &json!({"results": portal.shown_links(&own, row, &to)})))
        }
        ("PUT", ["default", to, to_id]) => {
            let (to, to_id) = target(portal, to, to_id)?;
            let label = labels::plain(&own, &to);
            portal.link(scene, (&own, row), (&to, to_id), label);
            Ok(Answer::json(
                200,
                &json!({"status": "COMPLETE", "results": [linked((&own, row), (&to, to_id), label)], "startedAt": rfc3339(scene.at),
                    "completedAt": rfc3339(scene.at)}),
            ))
        }
        ("PUT", [to, to_id, ..]) => {
            let (to, to_id) = target(portal, to, to_id)?;
            let kinds = scene.call.json().unwrap_or_default();
            let first = kinds[0]["associationTypeId"].as_u64().and_then(|number| u32::try_from(number).ok());
            let label = first.unwrap_or_else(|| labels::plain(&own, &to));
            portal.link(scene, (&own, row), (&to, to_id), label);
            Ok(Answer::json(
                201,
                &json!({"fromObjectTypeId": own, "fromObjectId": row, "toObjectTypeId": to, "toObjectId": to_id, "labels": []}),
            ))
        }
        ("DELETE", [to, to_id, ..]) => {
            let (to, to_id) = target(portal, to, to_id)?;
            portal.unlink(scene, (&own, row), (&to, to_id));
            Ok(Answer::empty(204))
        }
        _ => Err(Failure::not_found()),
    }
}

fn linked(from: (&str, u64), to: (&str, u64), label: u32) -> Value {
    json!({"from": {"id": from.1.to_string()}, "to": {"id": to.1.to_string()},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": label}})
}

/// `/associations/{from}/{to}/batch/…`
pub(super) fn between(portal: &mut Portal, scene: &Scene<'_>, rest: &[&str], is_v3: bool) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("GET", [from, to, "labels" | "types"]) => {
            let (from, to) = (portal.kind(from)?.name.clone(), portal.kind(to)?.name.clone());
            let number = labels::plain(&from, &to);
            let label = if is_v3 {
                json!({"id": number.to_string(), "name": format!("{from}_to_{to}")})
            } else {
                json!({"category": "HUBSPOT_DEFINED", "typeId": number, "label": null})
            };
            Ok(Answer::json(200, &json!({"results": [label]})))
        }
        ("POST", [from, to, "batch", rest @ ..]) => {
            let (from, to) = (portal.kind(from)?.name.clone(), portal.kind(to)?.name.clone());
            let body = scene.body()?;
            let inputs = body["inputs"].as_array().cloned().unwrap_or_default();
            match rest {
                ["read"] => Ok(read(portal, scene, &from, &to, &inputs, is_v3)),
                ["create"] | ["associate", "default"] => write(portal, scene, &from, &to, &inputs),
                ["archive"] | ["labels", "archive"] => {
                    for (own, other) in inputs.iter().flat_map(pairs) {
                        portal.unlink(scene, (&from, own), (&to, other));
                    }
                    Ok(Answer::empty(204))
                }
                _ => Err(Failure::not_found()),
            }
        }
        _ => Err(Failure::not_found()),
    }
}

fn id(value: &Value) -> u64 {
    value["id"].as_str().and_then(|id| id.parse().ok()).or_else(|| value["id"].as_u64()).unwrap_or_default()
}

/// The rows that one input names; `to` may be a list.
fn pairs(input: &Value) -> Vec<(u64, u64)> {
    let own = id(&input["from"]);
    match &input["to"] {
        Value::Array(all) => all.iter().map(|one| (own, id(one))).collect(),
        one => vec![(own, id(one))],
    }
}

fn read(portal: &Portal, scene: &Scene<'_>, from: &str, to: &str, inputs: &[Value], is_v3: bool) -> Answer {
    let one = |input: &Value| {
        let links = portal.shown_links(from, id(input), to);
        let links: Vec<_> = if is_v3 {
            links.iter().map(|link| json!({"id": link["toObjectId"].to_string(), "type": format!("{from}_to_{to}")})).collect()
        } else {
            links
        };
        (!links.is_empty()).then(|| json!({"from": {"id": id(input).to_string()}, "to": links}))
    };
    let results: Vec<_> = inputs.iter().filter_map(one).collect();
    let missing: Vec<_> =
        inputs.iter().filter(|input| portal.shown_links(from, id(input), to).is_empty()).map(|input| id(input).to_string()).collect();
    let at = rfc3339(scene.at);
    let mut value = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if missing.is_empty() {
        return Answer::json(200, &value);
    }
    let message = format!("No {from} is associated with {to}");
    let failure = Failure { context: json!({"fromObjectId": missing}), ..Failure::new(404, "OBJECT_NOT_FOUND", message) };
    value["numErrors"] = json!(1);
    value["errors"] = json!([failure.value()]);
    Answer::json(207, &value)
}

fn write(portal: &mut Portal, scene: &Scene<'_>, from: &str, to: &str, inputs: &[Value]) -> Result<Answer, Failure> {
    let mut results = Vec::new();
    for input in inputs {
        let number = input["types"][0]["associationTypeId"].as_u64().and_then(|number| u32::try_from(number).ok());
        let label = number.unwrap_or_else(|| labels::plain(from, to));
        for (own, other) in pairs(input) {
            portal.kind(from)?.present(&own.to_string(), None)?;
            portal.kind(to)?.present(&other.to_string(), None)?;
            portal.link(scene, (from, own), (to, other), label);
            results.push(linked((from, own), (to, other), label));
        }
    }
    let at = rfc3339(scene.at);
    Ok(Answer::json(201, &json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at})))
}
