//! Bounds on a schema, so that neither compiling nor checking can be made to take long: a schema comes from a file or, at run time, from a
//! tenant. References that lead back to themselves are refused: they could loop, and branch exponentially.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Largest schema in bytes of JSON.
const MAX_BYTES: usize = 128 * 1024;
/// Deepest nesting of objects and arrays.
const MAX_DEPTH: usize = 32;
/// Most subschemas, counted as often as references lead to them.
const MAX_EXPANDED: usize = 5_000;
/// Longest regular expression.
const MAX_PATTERN: usize = 1_000;

/// Keywords whose value is a schema.
const ONE: &[&str] = &[
    "additionalProperties",
    "items",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
/// Keywords whose value is a list of schemas.
const MANY: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is a table of schemas.
const NAMED: &[&str] = &["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];
/// Keywords that move or name the base of references; ours are always `#/$defs/<name>`.
const REFUSED: &[&str] = &["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$anchor", "$vocabulary"];

/// Refuses a schema that is too large, too deep or refers to anything but its own `$defs`.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    if depth_exceeds(schema, MAX_DEPTH) {
        return Err(format!("it is nested more than {MAX_DEPTH} deep"));
    }
    if !matches!(schema, Value::Object(_) | Value::Bool(_)) {
        return Err("a schema is an object, or true or false".to_owned());
    }
    let bytes = serde_json::to_string(schema).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_BYTES {
        return Err(format!("it has {bytes} bytes of JSON; {MAX_BYTES} are allowed"));
    }
    let expanded = Walk { root: schema, sizes: HashMap::new(), open: Vec::new() }.size(schema, "")?;
    if expanded > MAX_EXPANDED {
        return Err(format!("it has more than {MAX_EXPANDED} subschemas when its references are followed"));
    }
    Ok(())
}

fn depth_exceeds(value: &Value, left: usize) -> bool {
    match value {
        Value::Object(members) => left == 0 || members.values().any(|member| depth_exceeds(member, left - 1)),
        Value::Array(items) => left == 0 || items.iter().any(|item| depth_exceeds(item, left - 1)),
        _ => false,
    }
}

struct Walk<'a> {
    root: &'a Value,
    /// Size of each reference target.
    sizes: HashMap<&'a str, usize>,
    /// Targets that are being walked.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    /// Number of subschemas below and including this one.
    fn size(&mut self, schema: &'a Value, at: &str) -> Result<usize, String> {
        let Value::Object(members) = schema else { return Ok(1) };
        fixed_base(members, at)?;
        let mut size = 1_usize;
        for (keyword, value) in members {
            let here = format!("{at}/{keyword}");
            if keyword == "$ref" {
                size = size.saturating_add(self.target(value, &here)?);
            } else if ONE.contains(&keyword.as_str()) {
                size = size.saturating_add(self.size(value, &here)?);
            } else if MANY.contains(&keyword.as_str()) {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    size = size.saturating_add(self.size(item, &format!("{here}/{i}"))?);
                }
            } else if NAMED.contains(&keyword.as_str()) {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if keyword == "patternProperties" {
                        short_pattern(name, &here)?;
                    }
                    size = size.saturating_add(self.size(member, &format!("{here}/{name}"))?);
                }
            }
        }
        Ok(size)
    }

    /// Number of subschemas behind a reference.
    fn target(&mut self, reference: &'a Value, at: &str) -> Result<usize, String> {
        let refused = || format!("{at}: a reference has the form #/$defs/<name>, inside this schema");
        let text = reference.as_str().ok_or_else(refused)?;
        if let Some(size) = self.sizes.get(text) {
            return Ok(*size);
        }
        if self.open.contains(&text) {
            return Err(format!("{at}: {} leads back to itself; recursive schemas are not supported", super::message::short(text)));
        }
        let (table, name) = text.strip_prefix("#/").and_then(|path| path.split_once('/')).ok_or_else(refused)?;
        if !matches!(table, "$defs" | "definitions") || name.contains(['/', '~', '%', '#']) {
            return Err(refused());
        }
        let schema = self.root.get(table).and_then(|table| table.get(name));
        let schema = schema.ok_or_else(|| format!("{at}: there is no {}", super::message::short(text)))?;
        self.open.push(text);
        let size = self.size(schema, &format!("/{table}/{name}"))?;
        self.open.pop();
        self.sizes.insert(text, size);
        Ok(size)
    }
}

/// Refuses what would make `#/$defs/…` mean something else here, and regular expressions that are too long.
fn fixed_base(members: &Map<String, Value>, at: &str) -> Result<(), String> {
    if let Some(keyword) = REFUSED.iter().find(|keyword| members.contains_key(**keyword)) {
        return Err(format!("{at}/{keyword}: this keyword is not supported"));
    }
    if members.contains_key("$id") && !at.is_empty() {
        return Err(format!("{at}/$id: only the whole schema may have an id"));
    }
    let dialect = members.get("$schema").map(|dialect| dialect.as_str().unwrap_or_default().trim_end_matches('#'));
    if dialect.is_some_and(|dialect| dialect != "https://json-schema.org/draft/2020-12/schema") {
        return Err(format!("{at}/$schema: the dialect is https://json-schema.org/draft/2020-12/schema"));
    }
    members.get("pattern").and_then(Value::as_str).map_or(Ok(()), |pattern| short_pattern(pattern, at))
}

fn short_pattern(pattern: &str, at: &str) -> Result<(), String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!("{at}: a regular expression has at most {MAX_PATTERN} bytes"));
    }
    Ok(())
}
