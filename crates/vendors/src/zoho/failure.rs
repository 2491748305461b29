//! Errors as Zoho writes them: the same form for a whole call and for one row.

use serde_json::{Value, json};

use crate::stand::Answer;

/// One error.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: &'static str,
    message: String,
    details: Value,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: json!({}) }
    }

    pub(super) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    pub(super) fn token() -> Self {
        Self::new(401, "INVALID_TOKEN", "invalid oauth token")
    }

    pub(super) fn scope() -> Self {
        Self::new(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
    }

    pub(super) fn limit() -> Self {
        Self::new(429, "TOO_MANY_REQUESTS", "You have exceeded the number of requests allowed; please try again later")
    }

    pub(super) fn no_url() -> Self {
        Self::new(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
    }

    pub(super) fn invalid(name: &str) -> Self {
        Self::new(400, "INVALID_DATA", "invalid data").with(json!({"api_name": name, "json_path": format!("$.data[0].{name}")}))
    }

    pub(super) fn no_id() -> Self {
        Self::new(400, "INVALID_DATA", "the id given seems to be invalid").with(json!({"api_name": "id"}))
    }

    pub(super) fn value(&self) -> Value {
        json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"})
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::json(failure.status, &failure.value())
    }
}
