//! What people do in the account, without its API: these calls count against no limit and meet no fault.

use serde_json::{Value, json};

use super::events::Event;
use super::portal::{Portal, Property, Scene, Source};
use super::properties::new_type;
use super::{Failure, HubSpot, rows};
use crate::stand::{Call, Vendor};
use crate::tables::How;

impl HubSpot {
    fn person<T>(&self, work: impl FnOnce(&mut Portal, &Scene<'_>) -> Result<T, Failure>) -> Result<T, String> {
        let call = Call::new(http::Method::POST, "/");
        let scene = Scene { stand: &self.stand, call: &call, at: self.stand.now(), user: 2, source: Source::person() };
        let mut portal = self.portal();
        let outcome = work(&mut portal, &scene);
        portal.pending.drain(..).for_each(|message| self.stand.outbox.post(message));
        outcome.map_err(|failure| format!("{}: {}", failure.category, failure.message))
    }

    /// A person makes a row; its id. Errors: as the API would say.
    pub fn add(&self, kind: &str, properties: &Value) -> Result<String, String> {
        self.person(|portal, scene| portal.create(scene, kind, &json!({"properties": properties}))).map(|id| id.to_string())
    }

    /// A person changes a row. Errors: as the API would say.
    pub fn edit(&self, kind: &str, id: &str, properties: &Value) -> Result<(), String> {
        self.person(|portal, scene| {
            let number = portal.kind(kind)?.present(id, None)?.id;
            portal.update(scene, kind, number, properties)
        })
    }

    /// A person deletes a row; for good, if `purge`. Errors: as the API would say.
    pub fn delete(&self, kind: &str, id: &str, purge: bool) -> Result<(), String> {
        self.person(|portal, scene| {
            let number = portal.kind(kind)?.present(id, None)?.id;
            portal.remove(scene, kind, number, if purge { How::Purged } else { How::Bin })
        })
    }

    /// A person takes a row back. Errors: it was not archived.
    pub fn restore(&self, kind: &str, id: &str) -> Result<(), String> {
        self.person(|portal, scene| {
            let found = portal.kind_mut(kind)?;
            let (name, number) = (found.name.clone(), id.parse().map_err(|_| Failure::not_found())?);
            if !found.rows.restore(number, scene.change()) {
                return Err(Failure::not_found());
            }
            portal.tell(scene, &name, number, &Event::Restore);
            Ok(())
        })
    }

    /// A person merges the second row into the first. Errors: as the API would say.
    pub fn merge(&self, kind: &str, primary: &str, other: &str) -> Result<(), String> {
        self.person(|portal, scene| {
            let (primary, other) = {
                let found = portal.kind(kind)?;
                (found.present(primary, None)?.id, found.present(other, None)?.id)
            };
            portal.merge(scene, kind, primary, other)
        })
    }

    /// Another type of objects: plural, number (`2-17`), singular, properties as `name type flags…; …`.
    pub fn add_type(&self, name: &str, number: &str, singular: &str, properties: &str) {
        let mut portal = self.portal();
        let first = 1_000_001 * (portal.types.len() as u64 + 1);
        let own = format!("{properties}; hs_lastmodifieddate datetime -");
        portal.types.push(new_type(name, number, singular, first, &own, vec!["createdate", "hs_lastmodifieddate", "hs_object_id"]));
    }

    /// An administrator adds a property: `name type flags…`. Errors: it is none, or there is no such type.
    pub fn add_property(&self, kind: &str, declaration: &str) -> Result<(), String> {
        let property = Property::declared(declaration).ok_or("not a declaration of a property")?;
        self.person(|portal, _| {
            let found = portal.kind_mut(kind)?;
            if property.is_unique {
                found.rows.index(&property.name);
            }
            found.properties.push(Property { is_own: true, ..property });
            Ok(())
        })
    }

    /// Where the app's webhooks go, and for which events (`contact.creation`, `contact.propertyChange:email`).
    /// Errors: an event that is none.
    pub fn subscribe(&self, target_url: &str, events: &[&str]) -> Result<(), String> {
        self.person(|portal, scene| {
            portal.webhooks.target_url = Some(target_url.to_owned());
            for event in events {
                let (event, property) = event.split_once(':').map_or((*event, None), |(event, property)| (event, Some(property)));
                portal.webhooks.subscribe(event, property, None, true, scene.at)?;
            }
            Ok(())
        })
    }

    /// The user takes one scope back.
    pub fn withdraw_scope(&self, scope: &str) {
        self.portal().grants.withdraw_scope(1, scope);
    }

    /// So many calls were made today by others.
    pub fn use_up(&self, calls: u64) {
        let now = self.stand.now();
        self.portal().day.take(now, calls);
    }

    /// Many contacts at once, as after an import: `firstname`, `lastname`, `email`, `phone`, `company`, `city`. No webhooks.
    pub fn seed_contacts(&self, count: usize) {
        let now = self.stand.now();
        let mut portal = self.portal();
        let Ok(found) = portal.kind_mut("contacts") else { return };
        for n in 0..count {
            let change = crate::tables::Change { at: now - i64::try_from(count - n).unwrap_or(0), by: 2, lag_ms: 0 };
            let fields = [
                ("firstname", format!("First{n}")),
                ("lastname", format!("Last{n}")),
                ("email", format!("contact{n}@example.com")),
                ("phone", format!("+4930{n:08}")),
                ("company", format!("Company {}", n % 1000)),
                ("city", ["Berlin", "Paris", "Roma", "Wien"][n % 4].to_owned()),
            ];
            found.rows.insert(fields, change);
        }
    }

    /// Every row that is there, in order of the ids. Empty for a type that is none.
    pub fn rows(&self, kind: &str) -> Vec<Value> {
        let portal = self.portal();
        let Ok(found) = portal.kind(kind) else { return Vec::new() };
        found.rows.iter().map(|row| rows::whole(found, row)).collect()
    }

    /// One row, also one that is gone. `None`: there never was one.
    pub fn row(&self, kind: &str, id: &str) -> Option<Value> {
        let portal = self.portal();
        let found = portal.kind(kind).ok()?;
        found.rows.any(id.parse().ok()?).map(|row| rows::whole(found, row))
    }
}

/// The control pages' acts.
pub(super) fn act(at: &HubSpot, act: &str, arguments: &Value) -> Result<Value, String> {
    let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("`{name}` is missing"));
    let done = |()| json!({});
    match act {
        "add" => at.add(text("object")?, &arguments["fields"]).map(Value::from),
        "edit" => at.edit(text("object")?, text("id")?, &arguments["fields"]).map(done),
        "delete" => at.delete(text("object")?, text("id")?, arguments["purge"] == true).map(done),
        "restore" => at.restore(text("object")?, text("id")?).map(done),
        "merge" => at.merge(text("object")?, text("master")?, text("loser")?).map(done),
        "field" => at.add_property(text("object")?, text("declaration")?).map(done),
        "seed" => {
            at.seed_contacts(usize::try_from(arguments["count"].as_u64().unwrap_or(100)).unwrap_or(100));
            Ok(json!({}))
        }
        "rows" => Ok(at.rows(text("object")?).into()),
        "subscribe" => {
            let events: Vec<_> = arguments["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            at.subscribe(text("url")?, &events).map(done)
        }
        _ => Err(format!("{} has no act `{act}`", at.name())),
    }
}
