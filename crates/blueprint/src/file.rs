//! The text of a blueprint: TOML to plain structs, with the line of everything. What names mean is `check`'s business.

use serde_json::Value;

use crate::{Fault, MAX_FILE_BYTES};

mod document;
pub(crate) mod form;
pub(crate) mod jobs;
pub(crate) mod metrics;
pub(crate) mod operations;
mod sections;
mod typed;
pub(crate) mod upstreams;

pub use document::{Lines, read as read_toml};
pub use typed::typed;

/// A file that has the right form.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) content: form::File,
    pub(crate) lines: Lines,
}

/// Reads the form of a file.
pub(crate) fn read(text: &str) -> Result<Document, Vec<Fault>> {
    if text.len() > MAX_FILE_BYTES {
        return Err(vec![Fault::new("", format!("the file is larger than {MAX_FILE_BYTES} bytes"))]);
    }
    let (content, lines) = read_toml(text)?;
    match sections::read(content) {
        Ok(content) => Ok(Document { content, lines }),
        Err(mut faults) => {
            lines.fill(&mut faults);
            Err(faults)
        }
    }
}

/// A schema or an example may be a TOML table or, where `null` is needed, a text of JSON.
pub(crate) fn json(value: Value) -> Result<Value, String> {
    match value {
        Value::String(text) => {
            let value: Value = serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))?;
            if holds_nul(&value) { Err("must not contain NUL".to_owned()) } else { Ok(value) }
        }
        other => Ok(other),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}
