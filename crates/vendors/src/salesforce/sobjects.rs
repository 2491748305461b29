//! Single rows: `/sobjects/{object}[/{id} | /{external id field}/{value}]`.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::{ids, records};
use crate::stand::Answer;

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    match (scene.call.method.as_str(), rest) {
        ("POST", [object]) => {
            let id = org.create(scene, object, &fields(scene)?)?;
            Ok(Answer::json(201, &json!({"id": id, "success": true, "errors": []})).with("location", &location(scene, object, &id)))
        }
        ("GET", [object]) => basic(org, scene, object),
        ("GET", [object, id]) => read(org, scene, object, id),
        ("PATCH", [object, id]) => org.change(scene, object, id, &fields(scene)?).map(|()| Answer::empty(204)),
        ("DELETE", [object, id]) => org.delete(scene, object, id).map(|()| Answer::empty(204)),
        ("GET", [object, field, value]) => {
            let id = one(org, object, field, value)?;
            read(org, scene, object, &id.ok_or_else(|| Failure::not_found("The requested resource does not exist"))?)
        }
        ("DELETE", [object, field, value]) => {
            let id = one(org, object, field, value)?.ok_or_else(|| Failure::not_found("The requested resource does not exist"))?;
            org.delete(scene, object, &id).map(|()| Answer::empty(204))
        }
        ("PATCH", [object, field, value]) => {
            let (id, created) = upsert(org, scene, object, field, value, &fields(scene)?)?;
            let status = if created { 201 } else { 200 };
            Ok(Answer::json(status, &json!({"id": id, "success": true, "errors": [], "created": created})))
        }
        _ => Err(Failure::new(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed. Allowed are HEAD,GET,PATCH,DELETE,POST")),
    }
}

fn location(scene: &Scene<'_>, object: &str, id: &str) -> String {
    format!("/services/data/{}/sobjects/{object}/{id}", scene.version)
}

fn fields(scene: &Scene<'_>) -> Result<Map<String, Value>, Failure> {
    match scene.call.json() {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(Failure::json()),
    }
}

fn basic(org: &Org, scene: &Scene<'_>, object: &str) -> Result<Answer, Failure> {
    let object = org.object(object)?;
    let recent = org.table(&object.name).iter().rev().take(10).map(|row| records::shown(object, row, Some(&["Id", "Name"]), scene.version));
    let recent: Vec<_> = recent.collect();
    Ok(Answer::json(200, &json!({"objectDescribe": super::describe::summary(object, scene.version), "recentItems": recent})))
}

fn read(org: &Org, scene: &Scene<'_>, object: &str, id: &str) -> Result<Answer, Failure> {
    let object = org.object(object)?;
    let row = org.present(object, id)?;
    let only: Option<Vec<_>> = scene.call.param("fields").map(|names| names.split(',').map(str::trim).collect());
    if let Some(unknown) = only.iter().flatten().find(|name| object.field(name).is_none()) {
        let message = format!("No such column '{unknown}' on entity '{}'", object.name);
        return Err(Failure::new(400, "INVALID_FIELD", message));
    }
    Ok(Answer::json(200, &records::shown(object, row, only.as_deref(), scene.version)))
}

/// The id of the row whose external id this is.
fn one(org: &Org, object: &str, field: &str, value: &str) -> Result<Option<String>, Failure> {
    let object = org.object(object)?;
    if field.eq_ignore_ascii_case("Id") {
        return org.present(object, value).map(|row| Some(ids::id(&object.prefix, row.id)));
    }
    let field = object.field(field).filter(|field| field.is_external_id).ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        Failure::not_found(&message)
    })?;
    let found = org.table(&object.name).find(&field.name, &Value::from(value));
    Ok(found.map(|number| ids::id(&object.prefix, number)))
}

/// Changes the row with that external id, or makes one. The id, and whether it is new.
pub(super) fn upsert(
    org: &mut Org,
    scene: &Scene<'_>,
    object: &str,
    field: &str,
    value: &str,
    given: &Map<String, Value>,
) -> Result<(String, bool), Failure> {
    if value.is_empty() {
        let message = format!("{field} not specified");
        return Err(Failure::new(400, "MISSING_ARGUMENT", message));
    }
    if let Some(id) = one(org, object, field, value)? {
        let mut given = given.clone();
        given.remove(field);
        org.change(scene, object, &id, &given)?;
        return Ok((id, false));
    }
    let mut given = given.clone();
    given.insert(field.to_owned(), Value::from(value));
    org.create(scene, object, &given).map(|id| (id, true))
}
