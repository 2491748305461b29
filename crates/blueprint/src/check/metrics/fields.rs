//! The members that a metric refers to: of its resource's schema, by name or, inside of objects, by a path such as `analysis.score`.

use serde_json::{Map, Value, json};

use super::super::report::Report;
use crate::model::Resource;
use crate::schema::Schema;
use crate::{Fault, suggest};

pub(super) struct Fields<'a> {
    pub(super) resource: &'a Resource,
}

impl Fields<'_> {
    /// The schema of a member. `Some(None)`: it may be there, and nothing is said about it.
    fn find(&self, path: &str) -> Result<Option<&Value>, Option<String>> {
        let mut at = &self.resource.schema;
        for name in path.split('.') {
            let properties = at.get("properties").and_then(Value::as_object);
            match properties.and_then(|properties| properties.get(name)) {
                Some(property) => at = property,
                None if open(at) => return Ok(None),
                None => return Err(nearest(name, properties)),
            }
        }
        Ok(Some(at))
    }

    fn known(&self, place: &str, path: &str, report: &mut Report) -> Option<Option<&Value>> {
        match self.find(path) {
            Ok(found) => Some(found),
            Err(suggestion) => {
                let message = format!("the schema of {} has no member {path:?}", self.resource.name);
                report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
                None
            }
        }
    }

    /// Whether a member may be a single value, which records can be told apart by.
    pub(super) fn single(&self, place: &str, path: &str, report: &mut Report) -> bool {
        let Some(found) = self.known(place, path, report) else { return false };
        report.expect(may_be(found, &["string", "integer", "number", "boolean"]), place, "must be a text, a number or a truth value")
    }

    /// A member whose numbers are computed with.
    pub(super) fn number(&self, place: &str, path: &str, report: &mut Report) {
        if let Some(found) = self.known(place, path, report) {
            report.expect(may_be(found, &["integer", "number"]), place, "must be a number to be computed with");
        }
    }

    /// A member that says when.
    pub(super) fn time(&self, place: &str, path: &str, report: &mut Report) {
        let Some(found) = self.known(place, path, report) else { return };
        let fits =
            |text: &str| found.is_none_or(|schema| alone(schema, &self.resource.schema).is_some_and(|one| one.accepts(&json!(text))));
        let fits = fits("2025-01-31T09:30:00.000Z") || fits("2025-01-31");
        report.expect(fits, place, "must be a text that may hold a time or a date, such as 2025-01-31T09:30:00.000Z");
    }

    /// A member that figures are grouped by: whether it is a list, and the values that it is known to have.
    pub(super) fn group(&self, place: &str, path: &str, report: &mut Report) -> (bool, Vec<String>) {
        let Some(found) = self.known(place, path, report) else { return (false, Vec::new()) };
        let list = found.is_some_and(|schema| types(schema).contains(&"array"));
        let items = if list { found.and_then(|schema| schema.get("items")) } else { found };
        let fits = may_be(items, &["string", "integer", "number", "boolean"]);
        report.expect(fits, place, "must be a text, a number or a truth value, or a list of such");
        let listed = items.and_then(|schema| schema.get("enum")).and_then(Value::as_array).into_iter().flatten();
        let mut always: Vec<String> = listed.filter_map(text).collect();
        if always.is_empty() && items.is_some_and(|schema| types(schema) == ["boolean"]) {
            always = vec!["false".to_owned(), "true".to_owned()];
        }
        (list, always)
    }

    /// Whether a member may have this value.
    pub(super) fn accepts(&self, place: &str, path: &str, value: &Value, report: &mut Report) {
        if matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) {
            report.add(place, "is compared with texts, numbers and truth values");
            return;
        }
        let Ok(Some(schema)) = self.find(path) else { return };
        if alone(schema, &self.resource.schema).is_some_and(|one| one.accepts(value)) {
            return;
        }
        let choices = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let suggestion = value.as_str().and_then(|wanted| suggest::nearest(wanted, choices)).map(str::to_owned);
        let message = format!("the schema of {path} does not allow {}", crate::schema::short(&value.to_string()));
        report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
    }
}

/// How a value is told as the name of a group.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether an object may have members that are not declared.
fn open(schema: &Value) -> bool {
    let object = types(schema).is_empty() || types(schema).contains(&"object");
    object && schema.get("additionalProperties") != Some(&Value::Bool(false)) && schema.get("$ref").is_none()
        || schema.get("$ref").is_some()
}

fn types(schema: &Value) -> Vec<&str> {
    let all = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    all.into_iter().filter(|one| *one != "null").collect()
}

fn may_be(schema: Option<&Value>, fits: &[&str]) -> bool {
    let types = schema.map(types).unwrap_or_default();
    types.is_empty() || types.iter().any(|one| fits.contains(one))
}

/// A member's schema on its own.
fn alone(schema: &Value, whole: &Value) -> Option<Schema> {
    let mut alone = json!({ "allOf": [schema] });
    for table in ["$defs", "definitions"] {
        if let Some(shared) = whole.get(table) {
            alone[table] = shared.clone();
        }
    }
    Schema::compile(&alone).ok()
}

fn nearest(name: &str, properties: Option<&Map<String, Value>>) -> Option<String> {
    let known = properties.into_iter().flat_map(Map::keys).map(String::as_str);
    suggest::nearest(name, known).map(str::to_owned)
}
