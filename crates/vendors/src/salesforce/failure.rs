//! Errors as Salesforce writes them: an array, also for one.

use serde_json::{Value, json};

use crate::stand::Answer;

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<String>,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Vec::new() }
    }

    pub(super) fn on(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    pub(super) fn session() -> Self {
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    pub(super) fn limit() -> Self {
        Self::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    pub(super) fn deleted() -> Self {
        Self::new(404, "ENTITY_IS_DELETED", "entity is deleted")
    }

    pub(super) fn json() -> Self {
        Self::new(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body or it is no JSON.")
    }

    /// As an answer of its own.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({"message": self.message, "errorCode": self.code});
        if !self.fields.is_empty() {
            value["fields"] = json!(self.fields);
        }
        value
    }

    /// As the result of one row of a collection.
    pub(super) fn result(&self) -> Value {
        json!({"success": false, "errors": [{"statusCode": self.code, "message": self.message, "fields": self.fields}]})
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::json(failure.status, &json!([failure.value()]))
    }
}
