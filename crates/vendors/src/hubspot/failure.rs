//! Errors as HubSpot writes them.

use serde_json::{Value, json};

use crate::stand::Answer;

/// One error.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
    pub(super) context: Value,
    pub(super) errors: Vec<Value>,
    pub(super) policy: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self { status, category, message: message.into(), context: Value::Null, errors: Vec::new(), policy: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "OBJECT_NOT_FOUND", "resource not found")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0 authentication.")
    }

    pub(super) fn expired() -> Self {
        Self::new(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")
    }

    pub(super) fn scopes(scope: &str) -> Self {
        let error = json!({"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [scope]}});
        let message = "This app hasn't been granted all required scopes to make this call.";
        Self { errors: vec![error], ..Self::new(403, "MISSING_SCOPES", message) }
    }

    pub(super) fn limit(policy: &'static str, name: &str) -> Self {
        Self { policy: Some(policy), ..Self::new(429, "RATE_LIMITS", format!("You have reached your {name} limit.")) }
    }

    /// As an answer or as one error of a batch.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({"status": "error", "message": self.message, "category": self.category});
        if !self.context.is_null() {
            value["context"] = self.context.clone();
        }
        if !self.errors.is_empty() {
            value["errors"] = json!(self.errors);
        }
        if let Some(policy) = self.policy {
            value["errorType"] = json!("RATE_LIMIT");
            value["policyName"] = json!(policy);
        }
        value
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        let mut value = failure.value();
        value["correlationId"] = json!("aeb5f871-7f07-4993-9211-075dc63e7cbf");
        Self::json(failure.status, &value)
    }
}
