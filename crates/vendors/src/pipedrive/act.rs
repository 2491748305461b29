//! What people do in the account, without its API.

use serde_json::{Value, json};

use super::account::{Account, PERSON, Scene};
use super::{Failure, Pipedrive};
use crate::stand::{Call, Vendor};
use crate::tables::{Change, How};

impl Pipedrive {
    fn person<T>(&self, work: impl FnOnce(&mut Account, &Scene<'_>) -> Result<T, Failure>) -> Result<T, String> {
        let call = Call::new(http::Method::POST, "/");
        let change = Change { at: self.stand.now() / 1000 * 1000, by: PERSON, lag_ms: self.stand.faults.index_lag_ms() };
        let scene = Scene { at: self, call: &call, change, source: "app" };
        let mut account = self.account();
        let outcome = work(&mut account, &scene);
        account.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        outcome.map_err(|failure| failure.body["error"].as_str().unwrap_or("refused").to_owned())
    }

    /// A person makes a row of `persons`, `organizations`, `deals` or `leads`; its id. Errors: as the API would say.
    pub fn add(&self, plural: &str, fields: &Value) -> Result<String, String> {
        self.person(|account, scene| {
            let number = account.create(scene, plural, fields)?;
            let row = account.entity(plural)?.rows.get(number).cloned();
            let id = row.and_then(|row| row.get("id").and_then(Value::as_str).map(str::to_owned));
            Ok(id.unwrap_or_else(|| number.to_string()))
        })
    }

    /// A person changes a row. Errors: as the API would say.
    pub fn edit(&self, plural: &str, id: &str, fields: &Value) -> Result<(), String> {
        self.person(|account, scene| {
            let number = number(account, plural, id)?;
            account.change(scene, plural, number, fields)
        })
    }

    /// A person deletes a row; for good, if `purge`. Errors: as the API would say.
    pub fn delete(&self, plural: &str, id: &str, purge: bool) -> Result<(), String> {
        self.person(|account, scene| {
            let number = number(account, plural, id)?;
            account.delete(scene, plural, number, if purge { How::Purged } else { How::Bin })
        })
    }

    /// A person merges the second row into the first. Errors: as the API would say.
    pub fn merge(&self, plural: &str, master: &str, loser: &str) -> Result<(), String> {
        self.person(|account, scene| {
            let (master, loser) = (number(account, plural, master)?, number(account, plural, loser)?);
            account.merge(scene, plural, master, loser)
        })
    }

    /// An administrator adds a field to `persons`, `organizations` or `deals`: its code. Errors: there is no such entity.
    pub fn add_field(&self, plural: &str, name: &str, kind: &str, options: &[&str]) -> Result<String, String> {
        self.person(|account, _| Ok(account.entity_mut(plural)?.define(name, kind, options)))
    }

    /// Who is told of what, with which name and password. Errors: as the API would say.
    pub fn subscribe(&self, url: &str, action: &str, object: &str, user: &str, password: &str) -> Result<(), String> {
        let body = json!({"subscription_url": url, "event_action": action, "event_object": object, "http_auth_user": user,
            "http_auth_password": password});
        self.person(|account, scene| account.subscribe(scene, &body).map(|_| ()))
    }

    /// So many tokens of the day's budget were used by others.
    pub fn use_up(&self, tokens: u64) {
        let now = self.stand.now();
        self.account().day.take(now, tokens);
    }

    /// Many persons at once, as after an import. No webhooks.
    pub fn seed_persons(&self, count: usize) {
        let now = self.stand.now() / 1000;
        let mut account = self.account();
        let Ok(entity) = account.entity_mut("persons") else { return };
        for n in 0..count {
            let at = (now - i64::try_from(count - n).unwrap_or(0)) * 1000;
            let fields = [
                ("name", json!(format!("First{n} Last{n}"))),
                ("first_name", json!(format!("First{n}"))),
                ("last_name", json!(format!("Last{n}"))),
                ("emails", json!([{"value": format!("person{n}@example.com"), "primary": true, "label": "work"}])),
                ("owner_id", json!(PERSON)),
            ];
            entity.rows.insert(fields, Change { at, by: PERSON, lag_ms: 0 });
        }
    }

    /// Every row that is there, in order of the numbers. Empty for an entity that is none.
    pub fn rows(&self, plural: &str) -> Vec<Value> {
        let account = self.account();
        let Ok(entity) = account.entity(plural) else { return Vec::new() };
        entity.rows.iter().map(|row| if plural == "leads" { entity.lead(row) } else { entity.shown(row) }).collect()
    }
}

fn number(account: &Account, plural: &str, id: &str) -> Result<u64, Failure> {
    let entity = account.entity(plural)?;
    let found = id.parse().ok().filter(|number| entity.rows.get(*number).is_some()).or_else(|| entity.rows.find("id", &json!(id)));
    found.ok_or_else(|| Failure::not_found("not found"))
}

/// The control pages' acts.
pub(super) fn act(at: &Pipedrive, act: &str, arguments: &Value) -> Result<Value, String> {
    let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("`{name}` is missing"));
    let done = |()| json!({});
    match act {
        "add" => at.add(text("object")?, &arguments["fields"]).map(Value::from),
        "edit" => at.edit(text("object")?, text("id")?, &arguments["fields"]).map(done),
        "delete" => at.delete(text("object")?, text("id")?, arguments["purge"] == true).map(done),
        "merge" => at.merge(text("object")?, text("master")?, text("loser")?).map(done),
        "field" => at.add_field(text("object")?, text("name")?, text("kind")?, &[]).map(Value::from),
        "rows" => Ok(at.rows(text("object")?).into()),
        "subscribe" => at.subscribe(text("url")?, text("action")?, text("object")?, text("user")?, text("password")?).map(done),
        _ => Err(format!("{} has no act `{act}`", at.name())),
    }
}
