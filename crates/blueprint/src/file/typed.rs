//! A part of a file as a type, and serde's complaints in our words.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Fault, suggest};

/// Reads what stands at `place` as a `T`.
///
/// # Errors
/// What does not fit, with its place inside and, for a mistyped name, with a suggestion. The line is not known yet ([`super::Lines::fill`]).
pub fn typed<T: DeserializeOwned>(place: &str, value: Value) -> Result<T, Fault> {
    let error = match serde_path_to_error::deserialize(value) {
        Ok(content) => return Ok(content),
        Err(error) => error,
    };
    let inner = error.path().to_string();
    let path = match inner.as_str() {
        "." | "" => place.to_owned(),
        inner if inner.starts_with('[') || place.is_empty() => format!("{place}{inner}"),
        inner => format!("{place}.{inner}"),
    };
    Err(in_words(path, &error.inner().to_string()))
}

/// Serde's texts in ours.
fn in_words(path: String, text: &str) -> Fault {
    let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    if let Some(named) = text.strip_prefix("missing field ").and(names.first()) {
        return Fault::new(path, format!("{named} is missing"));
    }
    let unknown = if text.starts_with("unknown field") {
        Some("is not a known member here")
    } else if text.starts_with("unknown variant") {
        Some("is not one of the choices")
    } else {
        None
    };
    if let (Some(what), Some((named, choices))) = (unknown, names.split_first()) {
        let suggestion = suggest::nearest(named, choices.iter().copied()).map(str::to_owned);
        let message = if suggestion.is_some() { format!("{named:?} {what}") } else { format!("{named:?} {what}: {}", choices.join(", ")) };
        return Fault { suggestion, ..Fault::new(path, message) };
    }
    Fault::new(path, number_words(text))
}

fn number_words(text: &str) -> String {
    let words = [
        ("expected u16", "expected a whole number up to 65535"),
        ("expected u32", "expected a whole number, not negative"),
        ("expected u64", "expected a whole number, not negative"),
    ];
    let text = words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let short: String = text.chars().take(200).collect();
    short.replace("expected a sequence", "expected a list").replace("a map", "a table").replace("map,", "table,")
}
