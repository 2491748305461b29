//! Single rows of v2.

use serde_json::{Map, Value, json};

use super::account::{Account, Scene};
use super::failure::Failure;
use super::fields::Entity;
use super::hooks;
use crate::stand::Answer;
use crate::stand::text::seconds;
use crate::tables::{How, Row};

impl Entity {
    /// A row as v2 shows it.
    pub(super) fn shown(&self, row: &Row<Value>) -> Value {
        let mut map = Map::new();
        map.insert("id".to_owned(), json!(row.id));
        let mut own = Map::new();
        for field in &self.fields {
            let value = row.get(&field.code).cloned().unwrap_or(Value::Null);
            if field.is_custom {
                own.insert(field.code.clone(), value)
            } else {
                map.insert(field.code.clone(), value)
            };
        }
        for name in ["emails", "phones", "label_ids"] {
            if map.get(name).is_some_and(Value::is_null) {
                map.insert(name.to_owned(), json!([]));
            }
        }
        map.insert("add_time".to_owned(), json!(seconds(row.created_at, "Z")));
        map.insert("update_time".to_owned(), json!(seconds(row.changed_at, "Z")));
        map.insert("is_deleted".to_owned(), json!(row.gone.is_some()));
        map.insert("custom_fields".to_owned(), Value::Object(own));
        // What the description gives no null for is left out where there is none.
        map.retain(|_, value| !value.is_null());
        Value::Object(map)
    }

    fn present(&self, id: &str) -> Result<&Row<Value>, Failure> {
        let missing = || Failure::not_found(&format!("{} not found", capital(&self.singular)));
        id.parse().ok().and_then(|id| self.rows.get(id)).ok_or_else(missing)
    }
}

fn capital(text: &str) -> String {
    text[..1].to_uppercase() + &text[1..]
}

pub(super) fn answer(account: &mut Account, scene: &Scene<'_>, plural: &str, rest: &[&str]) -> Result<Answer, Failure> {
    let done = |account: &Account, id: u64| {
        let entity = account.entity(plural)?;
        let row = entity.rows.any(id).ok_or_else(|| Failure::not_found("not found"))?;
        Ok(Answer::json(200, &json!({"success": true, "data": entity.shown(row)})))
    };
    match (scene.call.method.as_str(), rest) {
        ("POST", []) => {
            let id = account.create(scene, plural, &scene.body()?)?;
            done(account, id)
        }
        ("GET", [id]) => {
            // A deleted row can be seen for thirty days.
            let entity = account.entity(plural)?;
            let missing = || Failure::not_found(&format!("{} not found", capital(&entity.singular)));
            let row = id.parse().ok().and_then(|id| entity.rows.any(id)).ok_or_else(missing)?;
            let is_seen = row.gone.is_none_or(|gone| gone.how == How::Bin && scene.change.at - gone.at < 30 * 86_400_000);
            if is_seen { done(account, row.id) } else { Err(missing()) }
        }
        ("PATCH", [id]) => {
            let id = account.entity(plural)?.present(id)?.id;
            account.change(scene, plural, id, &scene.body()?)?;
            done(account, id)
        }
        ("DELETE", [id]) => {
            let id = account.entity(plural)?.present(id)?.id;
            account.delete(scene, plural, id, How::Bin)?;
            Ok(Answer::json(200, &json!({"success": true, "data": {"id": id}})))
        }
        _ => Err(Failure::not_found("Unknown method .")),
    }
}

/// Merges the row of the path into the one that the body names.
pub(super) fn merge(account: &mut Account, scene: &Scene<'_>, plural: &str, id: &str) -> Result<Answer, Failure> {
    let body = scene.body()?;
    let target = &body["merge_with_id"];
    let target = target.as_u64().map(|id| id.to_string()).or_else(|| target.as_str().map(str::to_owned)).unwrap_or_default();
    let entity = account.entity(plural)?;
    let (loser, master) = (entity.present(id)?.id, entity.present(&target)?.id);
    account.merge(scene, plural, master, loser)?;
    let entity = account.entity(plural)?;
    let row = entity.rows.get(master).ok_or_else(|| Failure::not_found("not found"))?;
    let mut value = entity.shown(row);
    value["merge_what_id"] = json!(loser);
    Ok(Answer::json(200, &json!({"success": true, "data": value})))
}

impl Account {
    /// A new row; its number.
    pub(super) fn create(&mut self, scene: &Scene<'_>, plural: &str, body: &Value) -> Result<u64, Failure> {
        let entity = self.entity(plural)?;
        let map = body.as_object().ok_or_else(|| Failure::invalid("body: must be object"))?;
        let mut given = entity.checked(map)?;
        let named = if matches!(plural, "deals" | "leads") { "title" } else { "name" };
        if !given.iter().any(|(name, value)| name == named && value.as_str().is_some_and(|text| !text.is_empty())) {
            return Err(Failure::invalid(&format!("{named}: Required")));
        }
        self.referred(&given)?;
        if !given.iter().any(|(name, _)| name == "owner_id") {
            given.push(("owner_id".to_owned(), json!(scene.change.by)));
        }
        self.derive(plural, &mut given);
        if plural == "leads" {
            let id = uuid::Builder::from_random_bytes(scene.at.stand.ambient.bytes()).into_uuid();
            given.push(("id".to_owned(), json!(id.to_string())));
        }
        let entity = self.entity_mut(plural)?;
        let id = entity.rows.insert(given.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
        hooks::tell(self, scene, plural, id, hooks::Event::Create);
        Ok(id)
    }

    /// Changes fields of a row that is there.
    pub(super) fn change(&mut self, scene: &Scene<'_>, plural: &str, id: u64, body: &Value) -> Result<(), Failure> {
        let entity = self.entity(plural)?;
        let map = body.as_object().ok_or_else(|| Failure::invalid("body: must be object"))?;
        let mut given = entity.checked(map)?;
        self.referred(&given)?;
        self.derive(plural, &mut given);
        let entity = self.entity_mut(plural)?;
        let pairs = given.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let changed = entity.rows.update(id, pairs, scene.change).unwrap_or_default();
        let previous = changed.into_iter().map(|(name, old, _)| (name.to_string(), old.unwrap_or(Value::Null))).collect();
        hooks::tell(self, scene, plural, id, hooks::Event::Change(previous));
        Ok(())
    }

    /// Deletes a row.
    pub(super) fn delete(&mut self, scene: &Scene<'_>, plural: &str, id: u64, how: How) -> Result<(), Failure> {
        self.entity_mut(plural)?.rows.remove(id, how, scene.change);
        let into = if let How::Merged(into) = how { Some(into) } else { None };
        hooks::tell(self, scene, plural, id, hooks::Event::Delete(into));
        Ok(())
    }

    /// Merges the second row into the first: one deletion and one change.
    pub(super) fn merge(&mut self, scene: &Scene<'_>, plural: &str, master: u64, loser: u64) -> Result<(), Failure> {
        let entity = self.entity(plural)?;
        let (Some(kept), Some(gone)) = (entity.rows.get(master).cloned(), entity.rows.get(loser).cloned()) else {
            return Err(Failure::not_found("not found"));
        };
        if master == loser {
            return Err(Failure::invalid("merge_with_id: must be another row"));
        }
        let mut taken: Vec<(String, Value)> = Vec::new();
        for (name, value) in gone.fields.iter() {
            match (kept.get(name), value) {
                (None | Some(Value::Null), _) => taken.push((name.to_string(), value.clone())),
                (Some(Value::Array(own)), Value::Array(more)) if matches!(&**name, "emails" | "phones") => {
                    let is_known = |one: &Value| own.iter().any(|known| known["value"] == one["value"]);
                    let added = more
                        .iter()
                        .filter(|one| !is_known(one))
                        .map(|one| json!({"value": one["value"], "label": one["label"], "primary": false}));
                    taken.push((name.to_string(), own.iter().cloned().chain(added).collect()));
                }
                _ => {}
            }
        }
        self.delete(scene, plural, loser, How::Merged(master))?;
        let entity = self.entity_mut(plural)?;
        let changed =
            entity.rows.update(master, taken.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change).unwrap_or_default();
        let previous = changed.into_iter().map(|(name, old, _)| (name.to_string(), old.unwrap_or(Value::Null))).collect();
        hooks::tell(self, scene, plural, master, hooks::Event::Change(previous));
        Ok(())
    }

    /// Whether the rows that are named are there.
    fn referred(&self, given: &[(String, Value)]) -> Result<(), Failure> {
        for (name, value) in given {
            let plural = match name.as_str() {
                "org_id" | "organization_id" => "organizations",
                "person_id" => "persons",
                _ => continue,
            };
            let known =
                value.is_null() || value.as_u64().is_some_and(|id| self.entity(plural).is_ok_and(|entity| entity.rows.get(id).is_some()));
            if !known {
                return Err(Failure::invalid(&format!("{name}: {value} was not found")));
            }
        }
        Ok(())
    }

    /// First and last name follow from the name.
    fn derive(&self, plural: &str, given: &mut Vec<(String, Value)>) {
        if plural != "persons" {
            return;
        }
        let Some(name) = given.iter().find(|(name, _)| name == "name").and_then(|(_, value)| value.as_str()).map(str::to_owned) else {
            return;
        };
        let (first, last) = name.split_once(' ').map_or((name.as_str(), None), |(first, last)| (first, Some(last)));
        given.push(("first_name".to_owned(), json!(first)));
        given.push(("last_name".to_owned(), json!(last)));
    }
}
