//! An error in an answer: a message, perhaps its place in the document and in the answer, and a stable code in `extensions`.
//!
//! Codes are those of the REST interface, but for two that clients of persisted queries look for by their own names. No message repeats the
//! document: what was sent may be large, and is known to whoever sent it.

use kernel::Error;
use serde_json::{Map, Value, json};

/// Longest message, in bytes. What a parser says may hold a line of the document.
const MAX_MESSAGE: usize = 300;

/// A place in a document, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The column.
    pub(crate) column: usize,
}

impl From<async_graphql::Pos> for Place {
    fn from(pos: async_graphql::Pos) -> Self {
        Self { line: pos.line, column: pos.column }
    }
}

/// An error in an answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    places: Vec<Place>,
    path: Vec<Value>,
    extensions: Map<String, Value>,
}

impl Failure {
    /// With a code.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_MESSAGE {
            let cut = (0..=MAX_MESSAGE).rev().find(|at| message.is_char_boundary(*at)).unwrap_or_default();
            message.truncate(cut);
            message.push('…');
        }
        let extensions = Map::from_iter([("code".to_owned(), Value::from(code))]);
        Self { message, places: Vec::new(), path: Vec::new(), extensions }
    }

    /// Of an operation. The faults by place become `extensions.errors`, a wait `extensions.retryAfter` (seconds).
    pub(crate) fn of(error: &Error) -> Self {
        let internal = error.kind() == kernel::Kind::Internal;
        if internal {
            tracing::error!(?error, "a GraphQL field failed");
        }
        let mut failure = Self::new(error.code(), error.detail());
        if !error.fields().is_empty() {
            let faults: Vec<Value> = error.fields().iter().map(|fault| json!({"pointer": fault.pointer, "detail": fault.detail})).collect();
            failure.extensions.insert("errors".into(), Value::Array(faults));
        }
        if let Some(wait) = error.wait() {
            failure.extensions.insert("retryAfter".into(), wait.as_secs().max(1).into());
        }
        failure
    }

    /// At a place in the document.
    #[must_use]
    pub(crate) fn at(mut self, place: impl Into<Place>) -> Self {
        self.places.push(place.into());
        self
    }

    /// At a place in the answer.
    #[must_use]
    pub(crate) fn path(mut self, path: Vec<Value>) -> Self {
        self.path = path;
        self
    }

    /// With a word more for programs.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Its code.
    pub(crate) fn code(&self) -> &str {
        self.extensions.get("code").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Where it is in the document.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// As it stands in an answer.
    pub(crate) fn json(&self) -> Value {
        let mut out = Map::new();
        out.insert("message".into(), self.message.clone().into());
        if !self.places.is_empty() {
            let places: Vec<Value> = self.places.iter().map(|place| json!({"line": place.line, "column": place.column})).collect();
            out.insert("locations".into(), Value::Array(places));
        }
        if !self.path.is_empty() {
            out.insert("path".into(), Value::Array(self.path.clone()));
        }
        out.insert("extensions".into(), Value::Object(self.extensions.clone()));
        Value::Object(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded() {
        let failure = Failure::new("x", "é".repeat(1000));
        assert!(failure.message().len() <= MAX_MESSAGE + 3);
        assert!(failure.message().ends_with('…'));
    }
}
