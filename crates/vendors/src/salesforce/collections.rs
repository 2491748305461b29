//! Up to 200 rows in one call, each with a result of its own, or all or none.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::{ids, records, sobjects};
use crate::stand::Answer;

/// Rows of one call.
const MAX: usize = 200;

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("POST", []) => all(org, scene, |org, record| org.create(scene, &kind(record)?, record).map(|id| success(&id))),
        ("PATCH", []) => all(org, scene, |org, record| {
            let id = record.get("id").or_else(|| record.get("Id")).and_then(Value::as_str).map(str::to_owned);
            let id = id.ok_or_else(|| Failure::new(400, "MISSING_ARGUMENT", "Id not specified in an update call").on("Id"))?;
            let mut fields = record.clone();
            fields.retain(|name, _| !name.eq_ignore_ascii_case("id"));
            org.change(scene, &kind(record)?, &id, &fields).map(|()| success(&id))
        }),
        ("PATCH", [object, field]) => all(org, scene, |org, record| {
            let mut fields = record.clone();
            let name = fields.keys().find(|name| name.eq_ignore_ascii_case(field)).cloned().unwrap_or_default();
            let value = fields.remove(&name).map(|value| super::query::plain(&value)).unwrap_or_default();
            if field.eq_ignore_ascii_case("Id") && value.is_empty() {
                return org.create(scene, object, &fields).map(|id| json!({"id": id, "success": true, "errors": [], "created": true}));
            }
            let (id, created) = sobjects::upsert(org, scene, object, field, &value, &fields)?;
            Ok(json!({"id": id, "success": true, "errors": [], "created": created}))
        }),
        ("DELETE", []) => delete(org, scene),
        ("GET" | "POST", [object]) => read(org, scene, object),
        _ => Err(Failure::not_found("The requested resource does not exist")),
    }
}

fn success(id: &str) -> Value {
    json!({"id": id, "success": true, "errors": []})
}

fn kind(record: &Map<String, Value>) -> Result<String, Failure> {
    let kind = record.get("attributes").and_then(|attributes| attributes["type"].as_str());
    kind.map(str::to_owned).ok_or_else(|| Failure::new(400, "INVALID_TYPE", "sObject type is missing in attributes"))
}

fn too_many(count: usize) -> Result<(), Failure> {
    let message = format!("record limit reached. cannot submit more than {MAX} records in this call: {count}");
    if count > MAX { Err(Failure::new(400, "EXCEEDED_ID_LIMIT", message)) } else { Ok(()) }
}

/// Works through `records`. With `allOrNone` one failure takes everything back.
fn all(
    org: &mut Org,
    scene: &Scene<'_>,
    mut work: impl FnMut(&mut Org, &Map<String, Value>) -> Result<Value, Failure>,
) -> Result<Answer, Failure> {
    let body = scene.call.json().ok_or_else(Failure::json)?;
    let records = body["records"].as_array().ok_or_else(Failure::json)?;
    too_many(records.len())?;
    let one =
        |(index, record): (usize, &Value), org: &mut Org, work: &mut dyn FnMut(&mut Org, &Map<String, Value>) -> Result<Value, Failure>| {
            match record.as_object() {
                _ if scene.call.spoils(index) => {
                    Err(Failure::new(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"))
                }
                Some(record) => work(org, record),
                None => Err(Failure::json()),
            }
        };
    let (mut results, taken_back) = org.tried(body["allOrNone"] == true, |org| {
        let outcomes: Vec<_> = records.iter().enumerate().map(|at| one(at, org, &mut work)).collect();
        let failed = outcomes.iter().any(Result::is_err);
        (outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|failure| failure.result())).collect::<Vec<_>>(), failed)
    });
    if taken_back {
        let rolled = Failure::new(
            400,
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using AllOrNone header",
        );
        results.iter_mut().filter(|result| result["success"] == true).for_each(|result| *result = rolled.result());
    }
    Ok(Answer::json(200, &Value::Array(results)))
}

fn delete(org: &mut Org, scene: &Scene<'_>) -> Result<Answer, Failure> {
    let ids: Vec<_> = scene.call.param("ids").unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    too_many(ids.len())?;
    let one = |org: &mut Org, id: &str| {
        let object = org.objects.iter().find(|object| ids::parse(id).is_some_and(|(prefix, _)| prefix == object.prefix));
        let object = object.map(|object| object.name.clone());
        let object = object.ok_or_else(|| Failure::new(400, "MALFORMED_ID", format!("bad id {id}")))?;
        org.delete(scene, &object, id).map(|()| success(id))
    };
    let (outcomes, _) = org.tried(scene.call.flag("allOrNone"), |org| {
        let outcomes: Vec<_> = ids.iter().map(|id| one(org, id)).collect();
        let failed = outcomes.iter().any(Result::is_err);
        (outcomes, failed)
    });
    let results = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|failure| failure.result()));
    Ok(Answer::json(200, &results.collect()))
}

/// Rows by their ids, in that order; `null` for those that are not there.
fn read(org: &Org, scene: &Scene<'_>, object: &str) -> Result<Answer, Failure> {
    let object = org.object(object)?;
    let body = scene.call.json().unwrap_or_default();
    let listed = |name: &str| -> Vec<String> {
        match (&body[name], scene.call.param(name)) {
            (Value::Array(all), _) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            (_, Some(text)) => text.split(',').map(|one| one.trim().to_owned()).collect(),
            _ => Vec::new(),
        }
    };
    let (ids, fields) = (listed("ids"), listed("fields"));
    if let Some(unknown) = fields.iter().find(|name| object.field(name).is_none()) {
        let message = format!("No such column '{unknown}' on entity '{}'", object.name);
        return Err(Failure::new(400, "INVALID_FIELD", message));
    }
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    let rows =
        ids.iter().map(|id| org.present(object, id).map_or(Value::Null, |row| records::shown(object, row, Some(&fields), scene.version)));
    Ok(Answer::json(200, &rows.collect()))
}
