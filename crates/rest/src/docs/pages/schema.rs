//! A schema for people: its members, their kinds, what they are for.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Pages, prose};
use crate::docs::reference::resolved;
use web::html::escape;

/// How deep members of members are shown.
const DEPTH: usize = 3;

/// The members of an object as a table; nothing for anything else.
pub(super) fn table(pages: &Pages<'_>, schema: &Value, out: &mut String) {
    let mut rows = String::new();
    members(pages, schema, "", 0, &mut rows);
    if !rows.is_empty() {
        let _ = writeln!(out, "<table>\n{rows}</table>");
    }
}

fn members(pages: &Pages<'_>, schema: &Value, prefix: &str, depth: usize, rows: &mut String) {
    let schema = resolved(pages.document, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        members(pages, part, prefix, depth, rows);
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let target = resolved(pages.document, member);
        let about = [member, target].iter().find_map(|one| one["description"].as_str()).unwrap_or_default();
        let needed =
            if required.contains(&name.as_str()) { format!("<br><small>{}</small>", pages.say("required")) } else { String::new() };
        let _ = writeln!(
            rows,
            "<tr><td><code dir=\"ltr\">{}</code>{needed}</td><td><small dir=\"ltr\">{}</small><br>{}</td></tr>",
            escape(&path),
            escape(&kind(pages.document, member)),
            prose(about),
        );
        if depth < DEPTH {
            members(pages, target, &format!("{path}."), depth + 1, rows);
            if let Some(items) = target.get("items") {
                members(pages, items, &format!("{path}[]."), depth + 1, rows);
            }
        }
    }
}

/// A few words about the kind of a value: `string (email), at most 80 characters`.
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    let mut words = vec![base(document, schema)];
    if let Some(format) = schema["format"].as_str() {
        words.push(format!("({format})"));
    }
    for (keyword, text) in
        [("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤"), ("default", "default")]
    {
        if let Some(value) = schema.get(keyword).filter(|value| !value.is_null() && !value.is_object()) {
            words.push(format!("{text} {value}"));
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        words.push(pattern.to_owned());
    }
    words.join(" ")
}

fn base(document: &Value, schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(choices) = ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array()) {
        let mut kinds: Vec<String> = choices.iter().map(|choice| base(document, resolved(document, choice))).collect();
        kinds.dedup();
        return kinds.join(" | ");
    }
    match &schema["type"] {
        Value::String(one) if one == "array" => format!("array of {}", base(document, resolved(document, &schema["items"]))),
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object".to_owned(),
        _ => "any".to_owned(),
    }
}
