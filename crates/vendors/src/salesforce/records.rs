//! Rows as Salesforce shows them.

use serde_json::{Map, Value, json};

use super::auth::user_id;
use super::ids;
use super::org::Org;
use super::schema::{Field, Object};
use crate::soql::Known;
use crate::stand::text;
use crate::tables::{Fields, How, Row};

/// `2026-01-31T12:00:00.000+0000`.
pub(super) fn time(ms: i64) -> String {
    text::seconds(ms, ".000+0000")
}

/// What `attributes` of a row says.
pub(super) fn attributes(object: &Object, id: &str, version: &str) -> Value {
    json!({"type": object.name, "url": format!("/services/data/{version}/sobjects/{}/{id}", object.name)})
}

/// One value of a row, of fields that may be older than the row's own (what search sees).
pub(super) fn value(object: &Object, field: &Field, row: &Row<Value>, fields: &Fields<Value>, changed_at: i64) -> Value {
    match field.name.as_str() {
        "Id" => json!(ids::id(&object.prefix, row.id)),
        "IsDeleted" => json!(row.gone.is_some()),
        "CreatedDate" => json!(time(row.created_at)),
        "LastModifiedDate" | "SystemModstamp" => json!(time(changed_at)),
        "CreatedById" | "LastModifiedById" => json!(user_id(row.changed_by)),
        "OwnerId" => fields.get("OwnerId").cloned().unwrap_or_else(|| json!(user_id(1))),
        "MasterRecordId" => match row.gone.map(|gone| gone.how) {
            Some(How::Merged(into)) => json!(ids::id(&object.prefix, into)),
            _ => Value::Null,
        },
        "Name" if field.is_read_only => {
            let part = |name| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            json!([part("FirstName"), part("LastName")].into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        "IsConverted" => json!(fields.get("IsConverted") == Some(&Value::Bool(true))),
        name => match fields.get(name) {
            None if field.kind == "boolean" => Value::Bool(false),
            None => Value::Null,
            Some(value) => value.clone(),
        },
    }
}

/// A whole row, with these fields or with all.
pub(super) fn shown(object: &Object, row: &Row<Value>, only: Option<&[&str]>, version: &str) -> Value {
    let mut map = Map::new();
    map.insert("attributes".to_owned(), attributes(object, &ids::id(&object.prefix, row.id), version));
    for field in &object.fields {
        if only.is_none_or(|only| only.iter().any(|name| field.name.eq_ignore_ascii_case(name))) {
            map.insert(field.name.clone(), value(object, field, row, &row.fields, row.changed_at));
        }
    }
    Value::Object(map)
}

impl Org {
    /// What a query's field (`Name`, `Account.Name`) is for a row, as search sees it. `None`: there is no such field.
    pub(super) fn looked_up(&self, object: &Object, row: &Row<Value>, path: &str, now: i64) -> Option<Known> {
        let (fields, changed_at) = row.searched(now).unwrap_or((&row.fields, row.changed_at));
        let path = path.strip_prefix(&format!("{}.", object.name)).unwrap_or(path);
        let Some((relation, name)) = path.split_once('.') else {
            let field = object.field(path)?;
            let is_id = matches!(field.kind.as_str(), "id" | "reference");
            return Some(Known { value: value(object, field, row, fields, changed_at), is_id });
        };
        let reference = object.relationship(relation)?;
        let parent = self.objects.iter().find(|one| Some(&one.name) == reference.refers_to.as_ref())?;
        let field = parent.field(name)?;
        let is_id = matches!(field.kind.as_str(), "id" | "reference");
        let id = value(object, reference, row, fields, changed_at);
        let found = id.as_str().and_then(|id| self.anywhere(id));
        let value = found.map_or(Value::Null, |(parent, row)| value(parent, field, row, &row.fields, row.changed_at));
        Some(Known { value, is_id })
    }
}
