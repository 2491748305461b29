//! What people do in the organisation, without its API.

use serde_json::{Map, Value, json};

use super::modules::Field;
use super::org::{Org, PERSON, Scene};
use super::records::shown;
use super::watch;
use super::{Failure, Zoho};
use crate::stand::{Call, Vendor};
use crate::tables::{Change, How};

impl Zoho {
    fn person<T>(&self, work: impl FnOnce(&mut Org, &Scene<'_>) -> Result<T, Failure>) -> Result<T, String> {
        let call = Call::new(http::Method::POST, "/");
        let change = Change { at: self.stand.now() / 1000 * 1000, by: PERSON, lag_ms: self.stand.faults.index_lag_ms() };
        let scene = Scene { stand: &self.stand, call: &call, change };
        let mut org = self.org();
        let outcome = work(&mut org, &scene);
        org.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        outcome.map_err(|failure| failure.value().to_string())
    }

    /// A person makes a row; its id. Errors: as the API would say.
    pub fn add(&self, module: &str, fields: &Value) -> Result<String, String> {
        self.person(|org, scene| org.create(scene, module, &map(fields))).map(|id| id.to_string())
    }

    /// A person changes a row. Errors: as the API would say.
    pub fn edit(&self, module: &str, id: &str, fields: &Value) -> Result<(), String> {
        self.person(|org, scene| org.update(scene, module, number(id)?, &map(fields)))
    }

    /// A person deletes a row; for good, if `purge`. Errors: as the API would say.
    pub fn delete(&self, module: &str, id: &str, purge: bool) -> Result<(), String> {
        self.person(|org, scene| org.delete(scene, module, number(id)?, if purge { How::Purged } else { How::Bin }))
    }

    /// A person takes a row out of the bin. Errors: it is not there.
    pub fn restore(&self, module: &str, id: &str) -> Result<(), String> {
        self.person(|org, scene| {
            let number = number(id)?;
            let restored = org.module_mut(module)?.rows.restore(number, scene.change);
            if !restored {
                return Err(Failure::no_id());
            }
            watch::tell(org, scene, module, number, "insert", &[]);
            Ok(())
        })
    }

    /// A person merges the second row into the first: what the first lacks it takes from the second, which is deleted for good.
    /// Errors: as the API would say.
    pub fn merge(&self, module: &str, master: &str, loser: &str) -> Result<(), String> {
        self.person(|org, scene| {
            let (master, loser) = (number(master)?, number(loser)?);
            let rows = &org.module(module)?.rows;
            let (Some(kept), Some(gone)) = (rows.get(master).cloned(), rows.get(loser).cloned()) else { return Err(Failure::no_id()) };
            let lacking = gone.fields.iter().filter(|(name, value)| !value.is_null() && kept.get(name).is_none_or(Value::is_null));
            let lacking: Map<_, _> = lacking.map(|(name, value)| (name.to_string(), value.clone())).collect();
            org.delete(scene, module, loser, How::Merged(master))?;
            org.update(scene, module, master, &lacking)
        })
    }

    /// An administrator adds a field: `name type length flags…` (`#` unique). Errors: it is none, or there is no such module.
    pub fn add_field(&self, module: &str, declaration: &str) -> Result<(), String> {
        let mut field = Field::declared(declaration).ok_or("not a declaration of a field")?;
        field.is_own = true;
        self.person(|org, _| {
            let module = org.module_mut(module)?;
            if field.is_unique {
                module.rows.index(&field.name);
            }
            module.fields.push(field);
            Ok(())
        })
    }

    /// Who is told of what (`Leads.all`), for how long in milliseconds. Errors: as the API would say.
    pub fn subscribe(&self, url: &str, events: &[&str], token: &str, life_ms: i64) -> Result<(), String> {
        self.person(|org, scene| {
            let expiry = super::records::time(scene.stand.now() + life_ms);
            let channel = format!("10000{}", scene.stand.ambient.below(1_000_000));
            org.watch(scene, &json!({"channel_id": channel, "events": events, "notify_url": url, "token": token, "channel_expiry": expiry}))
                .map(|_| ())
        })
    }

    /// So many credits were used today by others.
    pub fn use_up(&self, credits: u64) {
        let now = self.stand.now();
        self.org().day.take(now, credits);
    }

    /// Many leads at once, as after an import. No notifications.
    pub fn seed_leads(&self, count: usize) {
        let now = self.stand.now() / 1000;
        let mut org = self.org();
        let Ok(module) = org.module_mut("Leads") else { return };
        for n in 0..count {
            let at = (now - i64::try_from(count - n).unwrap_or(0)) * 1000;
            let fields = [
                ("First_Name", json!(format!("First{n}"))),
                ("Last_Name", json!(format!("Last{n}"))),
                ("Company", json!(format!("Company {}", n % 1000))),
                ("Email", json!(format!("lead{n}@example.com"))),
            ];
            module.rows.insert(fields, Change { at, by: PERSON, lag_ms: 0 });
        }
    }

    /// Every row that is there, in order of the ids. Empty for a module that is none.
    pub fn rows(&self, module: &str) -> Vec<Value> {
        let org = self.org();
        let Ok(module) = org.module(module) else { return Vec::new() };
        module.rows.iter().map(|row| shown(module, row, None, &row.fields, row.changed_at)).collect()
    }
}

fn number(id: &str) -> Result<u64, Failure> {
    id.parse().map_err(|_| Failure::no_id())
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The control pages' acts.
pub(super) fn act(at: &Zoho, act: &str, arguments: &Value) -> Result<Value, String> {
    let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("`{name}` is missing"));
    let done = |()| json!({});
    match act {
        "add" => at.add(text("object")?, &arguments["fields"]).map(Value::from),
        "edit" => at.edit(text("object")?, text("id")?, &arguments["fields"]).map(done),
        "delete" => at.delete(text("object")?, text("id")?, arguments["purge"] == true).map(done),
        "restore" => at.restore(text("object")?, text("id")?).map(done),
        "merge" => at.merge(text("object")?, text("master")?, text("loser")?).map(done),
        "field" => at.add_field(text("object")?, text("declaration")?).map(done),
        "rows" => Ok(at.rows(text("object")?).into()),
        "subscribe" => {
            let events: Vec<_> = arguments["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            at.subscribe(text("url")?, &events, text("token")?, arguments["life_ms"].as_i64().unwrap_or(3_600_000)).map(done)
        }
        _ => Err(format!("{} has no act `{act}`", at.name())),
    }
}
