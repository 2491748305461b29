//! A person's e-mail address and telephone number: the primary one of a list, as a field of its own.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::{FieldAbout, FieldKind, RemoteRecord};

/// The field, the list that it is of, for people, and what it holds.
const PAIRS: &[(&str, &str, &str, FieldKind)] =
    &[("email", "emails", "E-mail (primary)", FieldKind::Email), ("phone", "phones", "Phone (primary)", FieldKind::Phone)];

/// The names of the lists.
pub(super) fn lists() -> Vec<String> {
    PAIRS.iter().map(|(_, list, ..)| (*list).to_owned()).collect()
}

/// What Pipedrive must be asked for.
pub(super) fn asked<'a>(object: &str, fields: &'a [String]) -> Cow<'a, [String]> {
    if object != "persons" || fields.is_empty() {
        return Cow::Borrowed(fields);
    }
    let mut asked: Vec<String> = fields.to_vec();
    for (field, list, ..) in PAIRS {
        if asked.iter().any(|name| name == field) {
            asked.retain(|name| name != field);
            if !asked.iter().any(|name| name == list) {
                asked.push((*list).to_owned());
            }
        }
    }
    // Nothing would mean everything.
    Cow::Owned(asked)
}

/// Puts the fields into a record; a list that was not wanted goes. `wanted` empty: everything.
pub(super) fn shown(object: &str, record: &mut RemoteRecord, wanted: &[String]) {
    if object != "persons" {
        return;
    }
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    for (field, list, ..) in PAIRS {
        let Some(entries) = record.fields.get(*list) else { continue };
        let value = primary(entries).map_or(Value::Null, |entry| entry["value"].clone());
        if wants(field) {
            record.fields.insert((*field).to_owned(), value);
        }
        if !wants(list) {
            record.fields.shift_remove(*list);
        }
    }
}

fn primary(entries: &Value) -> Option<&Value> {
    entries.as_array()?.iter().find(|entry| entry["primary"] == true)
}

/// Which of the fields are to be written.
pub(super) fn written(object: &str, fields: &Map<String, Value>) -> Option<Vec<(&'static str, &'static str)>> {
    let names: Vec<_> = PAIRS.iter().filter(|(field, ..)| fields.contains_key(*field)).map(|(field, list, ..)| (*field, *list)).collect();
    (object == "persons" && !names.is_empty()).then_some(names)
}

/// Makes lists of the fields. What else is in the lists of the present record stays.
pub(super) fn apply(fields: &mut Map<String, Value>, names: &[(&str, &str)], present: &Map<String, Value>) {
    for (field, list) in names {
        let Some(value) = fields.shift_remove(*field) else { continue };
        // Whoever writes the list itself has said everything.
        if fields.contains_key(*list) {
            continue;
        }
        let entries = present.get(*list).and_then(Value::as_array).cloned().unwrap_or_default();
        fields.insert((*list).to_owned(), Value::Array(changed(entries, &value)));
    }
}

fn changed(mut entries: Vec<Value>, value: &Value) -> Vec<Value> {
    let first = entries.iter().position(|entry| entry["primary"] == true);
    if value.is_null() || value.as_str() == Some("") {
        if let Some(first) = first {
            entries.remove(first);
        }
        return entries;
    }
    // An address that is there already becomes the primary one.
    if let Some(known) = entries.iter().position(|entry| entry["value"] == *value) {
        for (i, entry) in entries.iter_mut().enumerate() {
            entry["primary"] = Value::Bool(i == known);
        }
        return entries;
    }
    match first {
        Some(first) => entries[first]["value"] = value.clone(),
        None => entries.insert(0, json!({"value": value, "primary": true, "label": "work"})),
    }
    entries
}

/// Adds the fields to an object's description.
pub(super) fn described(object: &str, fields: &mut Vec<FieldAbout>) {
    if object != "persons" {
        return;
    }
    for (field, list, label, kind) in PAIRS {
        if fields.iter().any(|one| one.name == *list) {
            fields.push(FieldAbout {
                name: (*field).to_owned(),
                label: (*label).to_owned(),
                kind: *kind,
                required: false,
                read_only: false,
                unique: false,
                custom: false,
                options: Vec::new(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_one_changes_and_the_others_stay() {
        let present = json!([{"value": "a@x.example", "primary": false, "label": "home"}, {"value": "b@x.example", "primary": true, "label": "work"}]);
        let after = |value: Value| Value::Array(changed(present.as_array().unwrap().clone(), &value));
        assert_eq!(after(json!("c@x.example"))[1], json!({"value": "c@x.example", "primary": true, "label": "work"}));
        assert_eq!(after(json!("c@x.example"))[0], present[0]);
        let swapped = after(json!("a@x.example"));
        assert_eq!((&swapped[0]["primary"], &swapped[1]["primary"]), (&json!(true), &json!(false)));
        assert_eq!(after(Value::Null), json!([present[0]]));
        assert_eq!(changed(Vec::new(), &json!("d")), [json!({"value": "d", "primary": true, "label": "work"})]);
        assert_eq!(changed(Vec::new(), &Value::Null), [] as [Value; 0]);
    }

    #[test]
    fn a_list_is_asked_for_in_the_fields_place() {
        let fields = ["email".to_owned(), "name".to_owned()];
        assert_eq!(*asked("persons", &fields), ["name", "emails"]);
        assert_eq!(*asked("deals", &fields), ["email", "name"]);
        let mut record = RemoteRecord {
            id: "1".to_owned(),
            fields: json!({"name": "x", "emails": [{"value": "a", "primary": true}]}).as_object().unwrap().clone(),
            modified_at: None,
            deleted: false,
            merged_into: None,
        };
        shown("persons", &mut record, &fields);
        assert_eq!(Value::Object(record.fields), json!({"name": "x", "email": "a"}));
    }
}
