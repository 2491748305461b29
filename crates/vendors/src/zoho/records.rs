//! Rows as Zoho shows them.

use serde_json::{Map, Value, json};

use super::modules::{Field, Module};
use super::org::user;
use crate::stand::text;
use crate::tables::{Fields, Row};

/// `2026-01-31T12:00:00+00:00`.
pub(super) fn time(ms: i64) -> String {
    text::seconds(ms, "+00:00")
}

/// One value, of fields that may be older than the row's own (what search sees).
pub(super) fn value(field: &Field, row: &Row<Value>, fields: &Fields<Value>, changed_at: i64) -> Value {
    match field.name.as_str() {
        "id" => json!(row.id.to_string()),
        "Created_Time" => json!(time(row.created_at)),
        "Modified_Time" => json!(time(changed_at)),
        "Created_By" => user(1),
        "Modified_By" => user(row.changed_by),
        "Owner" => fields.get("Owner").cloned().unwrap_or_else(|| user(1)),
        "Full_Name" => {
            let part = |name| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            json!([part("First_Name"), part("Last_Name")].into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        "Tag" => json!([]),
        name => match fields.get(name) {
            None if field.kind == "boolean" => json!(false),
            None => Value::Null,
            Some(value) => value.clone(),
        },
    }
}

/// A row with these fields, or with all.
pub(super) fn shown(module: &Module, row: &Row<Value>, only: Option<&[&str]>, fields: &Fields<Value>, changed_at: i64) -> Value {
    let wanted = |field: &&Field| field.name == "id" || only.is_none_or(|only| only.contains(&field.name.as_str()));
    let map: Map<_, _> =
        module.fields.iter().filter(wanted).map(|field| (field.name.clone(), value(field, row, fields, changed_at))).collect();
    Value::Object(map)
}
