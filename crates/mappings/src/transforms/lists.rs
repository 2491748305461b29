//! Lists and texts that stand for lists. Empty items do not count, so that there and back changes nothing.

use serde_json::Value;

pub(super) fn split(value: Value, separator: &str) -> Result<Value, String> {
    match value {
        Value::String(text) => {
            let parts: Vec<Value> = items(&text, separator).map(Value::from).collect();
            Ok(if parts.is_empty() { Value::Null } else { Value::Array(parts) })
        }
        // A list is tidied as its text would be, so that it comes back as it went.
        Value::Array(_) => match join(value, separator)? {
            Value::Null => Ok(Value::Null),
            text => split(text, separator),
        },
        _ => Err("a text was expected".to_owned()),
    }
}

pub(super) fn join(value: Value, separator: &str) -> Result<Value, String> {
    let Value::Array(items) = value else {
        let Some(text) = value.as_str() else { return Err("a list was expected".to_owned()) };
        let parts: Vec<&str> = items(text, separator).collect();
        return Ok(if parts.is_empty() { Value::Null } else { Value::String(parts.join(separator)) });
    };
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        let part = match item {
            Value::Null => continue,
            Value::String(text) => text.trim().to_owned(),
            Value::Number(_) | Value::Bool(_) => item.to_string(),
            _ => return Err("a list of texts was expected".to_owned()),
        };
        if part.contains(separator) {
            return Err(format!("a list whose items do not contain {separator:?} was expected"));
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    Ok(if parts.is_empty() { Value::Null } else { Value::String(parts.join(separator)) })
}

/// The item at an index, from 0; nothing where there are not so many.
pub(super) fn part(value: Value, separator: &str, index: usize) -> Result<Value, String> {
    let Value::String(text) = value else { return Err("a text was expected".to_owned()) };
    Ok(items(&text, separator).nth(index).map_or(Value::Null, Value::from))
}

fn items<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(separator).map(str::trim).filter(|item| !item.is_empty())
}
