//! Writing: up to 100 rows in a call, each with a result of its own.

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::lists::header;
use super::modules::{Field, Module};
use super::org::{Org, Scene, user};
use super::records::time;
use super::watch;
use crate::stand::Answer;
use crate::stand::text::parse_time;
use crate::tables::How;

/// Rows of one call.
const MAX: usize = 100;

pub(super) fn answer(org: &mut Org, scene: &Scene<'_>, name: &str, rest: &[&str]) -> Result<Answer, Failure> {
    let name = org.module(name)?.name.clone();
    match (scene.call.method.as_str(), rest) {
        ("POST", []) => each(org, scene, 201, |org, row| {
            let id = org.create(scene, &name, row)?;
            Ok(org.done(&name, id, "record added"))
        }),
        ("PUT", []) => each(org, scene, 200, |org, row| {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default().parse().map_err(|_| Failure::no_id())?;
            org.update(scene, &name, id, row)?;
            Ok(org.done(&name, id, "record updated"))
        }),
        ("PUT", [id]) => {
            let id = id.parse().map_err(|_| Failure::no_id())?;
            each(org, scene, 200, |org, row| {
                org.update(scene, &name, id, row)?;
                Ok(org.done(&name, id, "record updated"))
            })
        }
        ("POST", ["upsert"]) => {
            let body = scene.call.json().unwrap_or_default();
            let asked: Vec<String> =
                body["duplicate_check_fields"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            each(org, scene, 200, |org, row| org.upsert(scene, &name, row, &asked))
        }
        ("DELETE", []) => {
            let ids = scene.call.param("ids").unwrap_or_default().to_owned();
            Ok(told(ids.split(',').map(|id| org.delete_one(scene, &name, id)).collect(), 200))
        }
        ("DELETE", [id]) => Ok(told(vec![org.delete_one(scene, &name, id)], 200)),
        _ => Err(Failure::no_url()),
    }
}

fn each(
    org: &mut Org,
    scene: &Scene<'_>,
    good: u16,
    mut work: impl FnMut(&mut Org, &Map<String, Value>) -> Result<Value, Failure>,
) -> Result<Answer, Failure> {
    let body = scene.call.json().ok_or_else(|| Failure::new(400, "INVALID_DATA", "body is no JSON"))?;
    let rows = body["data"]
        .as_array()
        .ok_or_else(|| Failure::new(400, "MANDATORY_NOT_FOUND", "required field not found").with(json!({"api_name": "data"})))?;
    if rows.is_empty() || rows.len() > MAX {
        return Err(Failure::new(400, "LIMIT_EXCEEDED", format!("only {MAX} records are allowed in one call"))
            .with(json!({"limit": MAX, "api_name": "data"})));
    }
    let one = |(index, row): (usize, &Value)| match row.as_object() {
        _ if scene.call.spoils(index) => Err(Failure::new(400, "INTERNAL_ERROR", "the record could not be saved")),
        Some(row) => work(org, row),
        None => Err(Failure::new(400, "INVALID_DATA", "invalid data").with(json!({"expected_data_type": "jsonobject"}))),
    };
    let outcomes = rows.iter().enumerate().map(one).collect();
    Ok(told(outcomes, good))
}

/// 207 where some rows failed, 202 where all did.
fn told(outcomes: Vec<Result<Value, Failure>>, good: u16) -> Answer {
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let status = match failed {
        0 => good,
        all if all == outcomes.len() => 202,
        _ => 207,
    };
    let data: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|failure| failure.value())).collect();
    Answer::json(status, &json!({"data": data}))
}

impl Org {
    /// The result of one row.
    fn done(&self, name: &str, id: u64, message: &str) -> Value {
        let row = self.module(name).ok().and_then(|module| module.rows.any(id));
        let (made, changed) = row.map_or((0, 0), |row| (row.created_at, row.changed_at));
        let by = row.map_or(1, |row| row.changed_by);
        json!({
            "code": "SUCCESS", "status": "success", "message": message,
            "details": {"id": id.to_string(), "Created_Time": time(made), "Modified_Time": time(changed), "Created_By": user(1),
                "Modified_By": user(by)},
        })
    }

    /// A new row; its number.
    pub(super) fn create(&mut self, scene: &Scene<'_>, name: &str, given: &Map<String, Value>) -> Result<u64, Failure> {
        let module = self.module(name)?;
        let fields = self.checked(module, given)?;
        let missing = module
            .fields
            .iter()
            .find(|field| field.is_required && !fields.iter().any(|(name, value)| *name == field.name && !value.is_null()));
        if let Some(field) = missing {
            let details = json!({"api_name": field.name, "json_path": format!("$.data[0].{}", field.name)});
            return Err(Failure::new(400, "MANDATORY_NOT_FOUND", "required field not found").with(details));
        }
        unique(module, &fields, None)?;
        let module = self.module_mut(name)?;
        let id = module.rows.insert(fields.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
        watch::tell(self, scene, name, id, "insert", &fields);
        Ok(id)
    }

    /// Changes a row that is there.
    pub(super) fn update(&mut self, scene: &Scene<'_>, name: &str, id: u64, given: &Map<String, Value>) -> Result<(), Failure> {
        let module = self.module(name)?;
        let row = module.rows.get(id).ok_or_else(Failure::no_id)?;
        if header(scene, "if-unmodified-since").is_some_and(|since| row.changed_at > since) {
            return Err(Failure::new(412, "ALREADY_MODIFIED", "the record was modified in the meantime"));
        }
        let fields = self.checked(module, given)?;
        let emptied = fields.iter().find(|(name, value)| value.is_null() && module.field(name).is_some_and(|field| field.is_required));
        if let Some((name, _)) = emptied {
            return Err(Failure::new(400, "MANDATORY_NOT_FOUND", "required field not found").with(json!({"api_name": name})));
        }
        unique(module, &fields, Some(id))?;
        let module = self.module_mut(name)?;
        module.rows.update(id, fields.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
        watch::tell(self, scene, name, id, "update", &fields);
        Ok(())
    }

    /// Deletes a row.
    pub(super) fn delete(&mut self, scene: &Scene<'_>, name: &str, id: u64, how: How) -> Result<(), Failure> {
        let is_there = self.module(name)?.rows.get(id).is_some();
        if !is_there {
            return Err(Failure::no_id());
        }
        self.module_mut(name)?.rows.remove(id, how, scene.change);
        watch::tell(self, scene, name, id, "delete", &[]);
        Ok(())
    }

    fn delete_one(&mut self, scene: &Scene<'_>, name: &str, id: &str) -> Result<Value, Failure> {
        let number = id.trim().parse().map_err(|_| Failure::no_id())?;
        self.delete(scene, name, number, How::Bin)?;
        Ok(json!({"code": "SUCCESS", "details": {"id": id.trim()}, "message": "record deleted", "status": "success"}))
    }

    /// Changes the row that one of the fields finds, or makes one.
    fn upsert(&mut self, scene: &Scene<'_>, name: &str, row: &Map<String, Value>, asked: &[String]) -> Result<Value, Failure> {
        let module = self.module_mut(name)?;
        let checks: Vec<String> =
            if asked.is_empty() { module.duplicate_checks.iter().map(|check| (*check).to_owned()).collect() } else { asked.to_vec() };
        for check in &checks {
            if module.field(check).is_none() {
                return Err(Failure::new(400, "INVALID_DATA", "invalid duplicate check field").with(json!({"api_name": check})));
            }
            module.rows.index(check);
        }
        let by_id = row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let found = checks.iter().find_map(|check| Some((check, module.rows.find(check, row.get(check)?)?)));
        let (mut value, duplicate) = match (by_id, found) {
            (Some(id), _) => {
                self.update(scene, name, id, row)?;
                (self.done(name, id, "record updated"), Value::Null)
            }
            (None, Some((check, id))) => {
                self.update(scene, name, id, row)?;
                (self.done(name, id, "record updated"), json!(check))
            }
            (None, None) => {
                let id = self.create(scene, name, row)?;
                (self.done(name, id, "record added"), Value::Null)
            }
        };
        let is_new = value["message"] == "record added";
        value["action"] = json!(if is_new { "insert" } else { "update" });
        value["duplicate_field"] = duplicate;
        Ok(value)
    }

    /// The fields as they are stored. Unknown ones are left out.
    fn checked(&self, module: &Module, given: &Map<String, Value>) -> Result<Vec<(String, Value)>, Failure> {
        let known = given.iter().filter_map(|(name, value)| Some((module.field(name)?, value)));
        known.filter(|(field, _)| !field.is_read_only).map(|(field, value)| Ok((field.name.clone(), self.typed(field, value)?))).collect()
    }

    fn typed(&self, field: &Field, value: &Value) -> Result<Value, Failure> {
        let wrong = || {
            Failure::new(400, "INVALID_DATA", "invalid data")
                .with(json!({"expected_data_type": field.kind, "api_name": field.name, "json_path": format!("$.data[0].{}", field.name)}))
        };
        if value.is_null() || value == "" {
            return Ok(Value::Null);
        }
        let fits = match field.kind.as_str() {
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64(),
            "currency" | "double" => value.is_number(),
            "email" => value.as_str().is_some_and(|text| {
                text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !text.contains(' '))
            }),
            "date" => value.as_str().is_some_and(|text| text.len() == 10 && parse_time(&format!("{text}T00:00:00Z")).is_some()),
            "datetime" => return value.as_str().and_then(parse_time).map(|at| json!(time(at))).ok_or_else(wrong),
            "lookup" => return self.looked_up(field, value).ok_or_else(wrong),
            "ownerlookup" => value["id"].is_string(),
            _ => value.is_string(),
        };
        let length = value.as_str().map_or(0, |text| text.chars().count());
        if fits && field.length > 0 && length > field.length {
            return Err(
                Failure::new(400, "INVALID_DATA", "invalid data").with(json!({"maximum_length": field.length, "api_name": field.name}))
            );
        }
        if fits { Ok(value.clone()) } else { Err(wrong()) }
    }

    /// The row that a lookup names, by `{"id"}` or by the id itself.
    fn looked_up(&self, field: &Field, value: &Value) -> Option<Value> {
        let id = value["id"].as_str().or_else(|| value.as_str())?;
        let module = self.module(field.looks_up.as_deref()?).ok()?;
        let row = module.rows.get(id.parse().ok()?)?;
        let name = row.get("Account_Name").or_else(|| row.get("Last_Name")).cloned().unwrap_or_default();
        Some(json!({"id": id, "name": name}))
    }
}

fn unique(module: &Module, fields: &[(String, Value)], own: Option<u64>) -> Result<(), Failure> {
    for (name, value) in fields.iter().filter(|(name, _)| module.field(name).is_some_and(|field| field.is_unique)) {
        if let Some(other) = module.rows.find(name, value).filter(|other| Some(*other) != own) {
            let details = json!({"api_name": name, "duplicate_record": {"id": other.to_string(), "module": {"api_name": module.name}}});
            return Err(Failure::new(400, "DUPLICATE_DATA", "duplicate data").with(details));
        }
    }
    Ok(())
}
