//! Leaves out of a document what nothing in it refers to.

use std::collections::HashSet;

use serde_json::Value;

/// The tables that references lead into.
const TABLES: [&str; 4] = ["schemas", "parameters", "headers", "responses"];
const PREFIX: &str = "#/components/";

/// Removes components that neither a path nor a webhook needs, directly or through others.
pub(super) fn prune(document: &mut Value) {
    let mut found = HashSet::new();
    let mut waiting = Vec::new();
    for section in ["paths", "webhooks"] {
        references(&document[section], &mut waiting);
    }
    while let Some(target) = waiting.pop() {
        if found.insert(target.clone())
            && let Some(component) = document.pointer(&format!("/components/{target}"))
        {
            references(component, &mut waiting);
        }
    }
    for table in TABLES {
        if let Some(components) = document["components"][table].as_object_mut() {
            components.retain(|name, _| found.contains(&format!("{table}/{name}")));
        }
    }
}

/// Adds what `value` refers to, as `schemas/Lead`. Documents are made here: their names need no escaping.
fn references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(PREFIX));
            out.extend(target.map(str::to_owned));
            members.values().for_each(|member| references(member, out));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_needed_stays() {
        let mut document = json!({
            "paths": {"/a": {"get": {"responses": {"200": {"content": {"x": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}},
            "components": {"schemas": {"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {}, "C": {"$ref": "#/components/schemas/B"}}},
        });
        prune(&mut document);
        let names: Vec<&String> = document["components"]["schemas"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["A", "B"]);
    }
}
