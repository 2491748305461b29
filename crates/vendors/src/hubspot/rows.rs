//! Rows as HubSpot shows them. All values are text.

use serde_json::{Map, Value, json};

use super::portal::{Portal, Type};
use crate::stand::text::rfc3339;
use crate::tables::{Fields, How, Row};

/// One value, of fields that may be older than the row's own (what search sees).
pub(super) fn value(kind: &Type, name: &str, row: &Row<String>, fields: &Fields<String>, changed_at: i64) -> Option<String> {
    match name {
        "hs_object_id" => Some(row.id.to_string()),
        "createdate" | "hs_createdate" if fields.get(name).is_none() => Some(rfc3339(row.created_at)),
        "lastmodifieddate" | "hs_lastmodifieddate" if name == kind.modified() => Some(rfc3339(changed_at)),
        _ => fields.get(name).filter(|text| !text.is_empty()).cloned(),
    }
}

/// A row with the properties that are asked for, or the usual ones.
pub(super) fn shown(kind: &Type, row: &Row<String>, asked: Option<&[String]>) -> Value {
    shown_as(kind, row, &row.fields, row.changed_at, asked)
}

/// The same of older fields.
pub(super) fn shown_as(kind: &Type, row: &Row<String>, fields: &Fields<String>, changed_at: i64, asked: Option<&[String]>) -> Value {
    let mut properties = Map::new();
    let mut put = |name: &str| {
        if !properties.contains_key(name) && kind.property(name).is_some() {
            properties.insert(name.to_owned(), value(kind, name, row, fields, changed_at).map_or(Value::Null, Value::String));
        }
    };
    match asked.filter(|asked| !asked.is_empty()) {
        Some(asked) => {
            ["createdate", "hs_object_id", kind.modified()].into_iter().for_each(&mut put);
            asked.iter().for_each(|name| put(name));
        }
        None => kind.shown.iter().for_each(|name| put(name)),
    }
    with_frame(row, changed_at, properties)
}

/// A row with everything it has: the answer to a write.
pub(super) fn whole(kind: &Type, row: &Row<String>) -> Value {
    let mut properties = Map::new();
    for name in ["createdate", "hs_object_id", kind.modified()] {
        properties.insert(name.to_owned(), value(kind, name, row, &row.fields, row.changed_at).map_or(Value::Null, Value::String));
    }
    for (name, text) in row.fields.iter().filter(|(_, text)| !text.is_empty()) {
        properties.insert(name.to_string(), Value::String(text.clone()));
    }
    with_frame(row, row.changed_at, properties)
}

#[allow(clippy::needless_pass_by_value, reason = "the answer takes the properties over")]
fn with_frame(row: &Row<String>, changed_at: i64, properties: Map<String, Value>) -> Value {
    let mut value = json!({
        "id": row.id.to_string(), "properties": properties, "createdAt": rfc3339(row.created_at), "updatedAt": rfc3339(changed_at),
        "archived": row.gone.is_some(),
    });
    if let Some(gone) = row.gone.filter(|gone| gone.how == How::Bin) {
        value["archivedAt"] = json!(rfc3339(gone.at));
    }
    value
}

impl Portal {
    /// Adds the associations that a read asks for.
    pub(super) fn with_links(&self, kind: &str, id: u64, asked: &[&str], value: &mut Value) {
        for name in asked {
            let Ok(target) = self.kind(name) else { continue };
            let Ok(own) = self.kind(kind) else { continue };
            let (from, to) =
                ((own.name.clone(), id, target.name.clone(), 0, 0), (own.name.clone(), id, target.name.clone(), u64::MAX, u32::MAX));
            let label = format!("{}_to_{}", own.singular, target.singular);
            let results: Vec<_> = self.links.range(from..to).map(|link| json!({"id": link.3.to_string(), "type": label})).collect();
            if !results.is_empty() {
                value["associations"][target.name.as_str()] = json!({"results": results});
            }
        }
    }
}
