//! What people do in the org, without its API: these calls count against no limit and meet no fault.

use serde_json::{Map, Value, json};

use super::org::{Org, PERSON, Scene};
use super::outbound::{self, OutboundMessage};
use super::schema::Field;
use super::{Failure, Salesforce, ids, records};
use crate::stand::{Call, Vendor};
use crate::tables::{Change, How};

impl Salesforce {
    fn person<T>(&self, work: impl FnOnce(&mut Org, &Scene<'_>) -> Result<T, Failure>) -> Result<T, String> {
        let call = Call::new(http::Method::POST, "/");
        let change = Change { at: self.stand.now() / 1000 * 1000, by: PERSON, lag_ms: self.stand.faults.index_lag_ms() };
        let scene = Scene { at: self, call: &call, change, version: "v62.0" };
        let mut org = self.org();
        let outcome = work(&mut org, &scene);
        org.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        outcome.map_err(|failure| format!("{}: {}", failure.code, failure.message))
    }

    /// A person makes a row; its id. Errors: as the API would say.
    pub fn add(&self, object: &str, fields: &Value) -> Result<String, String> {
        self.person(|org, scene| org.create(scene, object, &map(fields)))
    }

    /// A person changes a row. Errors: as the API would say.
    pub fn edit(&self, object: &str, id: &str, fields: &Value) -> Result<(), String> {
        self.person(|org, scene| org.change(scene, object, id, &map(fields)))
    }

    /// A person deletes a row; for good, if `purge`. Errors: as the API would say.
    pub fn delete(&self, object: &str, id: &str, purge: bool) -> Result<(), String> {
        self.person(|org, scene| {
            let object = org.object(object)?.clone();
            let number = org.present(&object, id)?.id;
            org.table_mut(&object.name).remove(number, if purge { How::Purged } else { How::Bin }, scene.change);
            Ok(())
        })
    }

    /// A person takes a row out of the bin. Errors: it is not there.
    pub fn restore(&self, object: &str, id: &str) -> Result<(), String> {
        self.person(|org, scene| {
            let object = org.object(object)?.clone();
            let number = org.number(&object, id)?;
            let restored = org.table_mut(&object.name).restore(number, scene.change);
            if restored { Ok(()) } else { Err(Failure::new(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")) }
        })
    }

    /// A person merges rows: what the first lacks it takes from the second, which goes, with `MasterRecordId` set.
    /// Errors: as the API would say.
    pub fn merge(&self, object: &str, master: &str, loser: &str) -> Result<(), String> {
        self.person(|org, scene| {
            let object = org.object(object)?.clone();
            let (master, loser) = (org.present(&object, master)?.clone(), org.present(&object, loser)?.clone());
            let lacking: Vec<_> = loser
                .fields
                .iter()
                .filter(|(name, value)| !value.is_null() && master.get(name).is_none_or(Value::is_null))
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect();
            let table = org.table_mut(&object.name);
            table.remove(loser.id, How::Merged(master.id), scene.change);
            table.update(master.id, lacking.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
            outbound::tell(org, &object, master.id);
            Ok(())
        })
    }

    /// A person converts a lead into a contact, whose id it is. The lead cannot be written any more. Errors: as the API would say.
    pub fn convert_lead(&self, id: &str) -> Result<String, String> {
        self.person(|org, scene| {
            let object = org.object("Lead")?.clone();
            let lead = org.present(&object, id)?.clone();
            let shared: Map<_, _> = ["FirstName", "LastName", "Email", "Phone", "Title"]
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), lead.get(name)?.clone())))
                .collect();
            let contact = org.create(scene, "Contact", &shared)?;
            let marks =
                [("IsConverted", Value::Bool(true)), ("ConvertedContactId", json!(contact)), ("Status", json!("Closed - Converted"))];
            org.table_mut("Lead").update(lead.id, marks, scene.change);
            Ok(contact)
        })
    }

    /// An administrator adds a field: `Name__c type length flags…` as the schema of this double is written. Errors: it is none.
    pub fn add_field(&self, object: &str, declaration: &str) -> Result<(), String> {
        self.person(|org, _| {
            let name = org.object(object)?.name.clone();
            let field = Field::declared(declaration).ok_or_else(|| Failure::new(400, "INVALID_FIELD", "not a declaration of a field"))?;
            if field.is_external_id {
                org.table_mut(&name).index(&field.name);
            }
            let found = org.objects.iter_mut().find(|one| one.name == name);
            found.expect("it was just found").fields.push(field);
            Ok(())
        })
    }

    /// An administrator removes a field. Its values stay unseen. Errors: there is no such object.
    pub fn remove_field(&self, object: &str, field: &str) -> Result<(), String> {
        self.person(|org, _| {
            let name = org.object(object)?.name.clone();
            org.objects.iter_mut().filter(|one| one.name == name).for_each(|one| one.fields.retain(|known| known.name != field));
            Ok(())
        })
    }

    /// So many calls were made today by others.
    pub fn use_up(&self, calls: u64) {
        let now = self.stand.now();
        self.org().day.take(now, calls);
    }

    /// Many leads at once, as after an import. No messages.
    pub fn seed_leads(&self, count: usize) {
        let now = self.stand.now() / 1000;
        let mut org = self.org();
        let table = org.table_mut("Lead");
        for n in 0..count {
            let at = (now - i64::try_from(count - n).unwrap_or(0)) * 1000;
            let fields = [
                ("FirstName", json!(format!("First{n}"))),
                ("LastName", json!(format!("Last{n}"))),
                ("Company", json!(format!("Company {}", n % 1000))),
                ("Email", json!(format!("lead{n}@example.com"))),
                ("Status", json!("Open - Not Contacted")),
            ];
            table.insert(fields, Change { at, by: PERSON, lag_ms: 0 });
        }
    }

    /// Every row that is there, with all fields, in order of the ids. Empty for an object that is none.
    pub fn rows(&self, object: &str) -> Vec<Value> {
        let org = self.org();
        let Ok(object) = org.object(object) else { return Vec::new() };
        org.table(&object.name).iter().map(|row| records::shown(object, row, None, "v62.0")).collect()
    }

    /// One row, also one that is gone. `None`: there never was one.
    pub fn row(&self, object: &str, id: &str) -> Option<Value> {
        let org = self.org();
        let object = org.object(object).ok()?;
        let (_, number) = ids::parse(id)?;
        org.table(&object.name).any(number).map(|row| records::shown(object, row, None, "v62.0"))
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The control pages' acts.
pub(super) fn act(at: &Salesforce, act: &str, arguments: &Value) -> Result<Value, String> {
    let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("`{name}` is missing"));
    match act {
        "add" => at.add(text("object")?, &arguments["fields"]).map(Value::from),
        "edit" => at.edit(text("object")?, text("id")?, &arguments["fields"]).map(|()| json!({})),
        "delete" => at.delete(text("object")?, text("id")?, arguments["purge"] == true).map(|()| json!({})),
        "restore" => at.restore(text("object")?, text("id")?).map(|()| json!({})),
        "merge" => at.merge(text("object")?, text("master")?, text("loser")?).map(|()| json!({})),
        "convert" => at.convert_lead(text("id")?).map(Value::from),
        "field" => at.add_field(text("object")?, text("declaration")?).map(|()| json!({})),
        "rows" => Ok(at.rows(text("object")?).into()),
        "tell" => outbound::message(arguments)
            .map(|message: OutboundMessage| at.tell(message))
            .map(|()| json!({}))
            .ok_or_else(|| "object, fields and url".into()),
        _ => Err(format!("{} has no act `{act}`", at.name())),
    }
}
