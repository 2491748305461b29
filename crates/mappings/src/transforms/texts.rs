//! Texts.

use serde_json::{Map, Value};

use crate::path;

/// Changes a text, and the texts of a list; anything else stays.
pub(super) fn each(value: Value, change: impl Fn(&str) -> String) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(items) => {
            let changed = items.into_iter().map(|item| match item {
                Value::String(text) => Value::String(change(&text)),
                other => other,
            });
            Value::Array(changed.collect())
        }
        other => other,
    })
}

/// Changes a text, which it must be; numbers count as their digits. An empty one is nothing.
pub(super) fn required(value: Value, change: impl Fn(&str) -> Result<String, String>) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err("a text was expected".to_owned()),
    };
    if text.is_empty() { Ok(Value::Null) } else { change(&text).map(Value::String) }
}

pub(super) fn strip(rest: Option<&str>, how: &str, text: &str) -> Result<String, String> {
    rest.map(str::to_owned).ok_or_else(|| format!("a text that {how} {text:?} was expected"))
}

/// Each word with a capital first; words end at spaces and hyphens.
pub(super) fn title(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut begins = true;
    for letter in text.chars() {
        if begins {
            let mut upper = letter.to_uppercase();
            done.extend(upper.next());
            done.extend(upper.flat_map(char::to_lowercase));
        } else {
            done.extend(letter.to_lowercase());
        }
        begins = letter.is_whitespace() || letter == '-';
    }
    done
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The values of several fields as one text; empty ones are left out. Nothing where all are empty.
pub(super) fn concat(fields: &[String], separator: &str, record: &Map<String, Value>) -> Result<Value, String> {
    let mut joined = String::new();
    for field in fields {
        let part = match path::get(record, field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(found)) => found.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => return Err(format!("a text in {field} was expected")),
        };
        if !part.is_empty() {
            if !joined.is_empty() {
                joined.push_str(separator);
            }
            joined.push_str(&part);
        }
    }
    Ok(if joined.is_empty() { Value::Null } else { Value::String(joined) })
}

/// JSON that stands in a text.
pub(super) fn json_value(value: Value) -> Result<Value, String> {
    match value {
        Value::String(text) if text.trim().is_empty() => Ok(Value::Null),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| "a text that is JSON was expected".to_owned()),
        _ => Err("a text that is JSON was expected".to_owned()),
    }
}
