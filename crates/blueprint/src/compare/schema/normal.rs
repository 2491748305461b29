//! A schema without what makes no difference to the values that it allows: references are followed, notes are dropped.

use serde_json::{Map, Value, json};

use super::type_sets::Types;

/// Keywords that ask nothing of a value.
const SILENT: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "examples",
    "example",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// The plain form of a schema that compiles. `open`: also without what refuses members that are not declared, wherever leaving that out can
/// only allow more.
pub(super) fn normal(schema: &Value, open: bool) -> Value {
    Plain { root: schema }.of(schema, open)
}

struct Plain<'a> {
    root: &'a Value,
}

impl Plain<'_> {
    fn of(&self, schema: &Value, open: bool) -> Value {
        let Value::Object(members) = schema else { return schema.clone() };
        let mut out = Map::new();
        // What must hold beside: the target of a reference, alternatives that were written as another keyword.
        let mut beside = Vec::new();
        for (keyword, value) in members.iter().filter(|(keyword, _)| !SILENT.contains(&keyword.as_str())) {
            match keyword.as_str() {
                "$ref" => beside.push(self.target(value, open)),
                "additionalProperties" | "unevaluatedProperties" if open && *value == Value::Bool(false) => {}
                "additionalProperties" | "items" => insert(&mut out, keyword, self.of(value, open)),
                "unevaluatedProperties" | "unevaluatedItems" | "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
                    insert(&mut out, keyword, self.of(value, false));
                }
                "properties" | "patternProperties" => insert(&mut out, keyword, self.table(value, open)),
                "dependentSchemas" => insert(&mut out, keyword, self.table(value, false)),
                "prefixItems" | "anyOf" | "allOf" => insert(&mut out, keyword, self.list(value, open)),
                "oneOf" => match self.list(value, false) {
                    branches if are_apart(&branches) => beside.push(json!({"anyOf": self.list(value, open)})),
                    branches => insert(&mut out, keyword, branches),
                },
                "type" => insert(&mut out, keyword, one_or_sorted(value)),
                "required" => insert(&mut out, keyword, sorted(value)),
                _ => insert(&mut out, keyword, value.clone()),
            }
        }
        join(out, beside)
    }

    fn target(&self, reference: &Value, open: bool) -> Value {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#')).unwrap_or_default();
        self.root.pointer(pointer).map_or(Value::Bool(true), |schema| self.of(schema, open))
    }

    fn table(&self, table: &Value, open: bool) -> Value {
        table.as_object().into_iter().flatten().map(|(name, schema)| (name.clone(), self.of(schema, open))).collect()
    }

    fn list(&self, list: &Value, open: bool) -> Value {
        list.as_array().into_iter().flatten().map(|schema| self.of(schema, open)).collect()
    }
}

fn insert(out: &mut Map<String, Value>, keyword: &str, value: Value) {
    out.insert(keyword.to_owned(), value);
}

/// Puts together what a schema says itself and what must hold beside it.
fn join(mut own: Map<String, Value>, mut beside: Vec<Value>) -> Value {
    if beside.len() == 1 && own.is_empty() {
        return beside.remove(0);
    }
    if !beside.is_empty() {
        let mut all = own.remove("allOf").and_then(|all| all.as_array().cloned()).unwrap_or_default();
        all.extend(beside);
        own.insert("allOf".to_owned(), Value::Array(all));
    }
    if own.is_empty() { Value::Bool(true) } else { Value::Object(own) }
}

/// Whether no value can satisfy two of the schemas, because their types differ.
fn are_apart(schemas: &Value) -> bool {
    let types: Vec<Types> = schemas.as_array().into_iter().flatten().map(Types::of_schema).collect();
    types.iter().enumerate().all(|(n, one)| types[n + 1..].iter().all(|other| one.both(*other).is_empty()))
}

fn one_or_sorted(types: &Value) -> Value {
    match types.as_array().map(Vec::as_slice) {
        Some([only]) => only.clone(),
        _ => sorted(types),
    }
}

fn sorted(names: &Value) -> Value {
    let Some(names) = names.as_array() else { return names.clone() };
    let mut names = names.clone();
    names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    names.dedup();
    Value::Array(names)
}
