//! Errors as Pipedrive writes them.

use serde_json::{Value, json};

use crate::stand::Answer;

/// One error: a status and a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    status: u16,
    pub(super) body: Value,
}

impl Failure {
    pub(super) fn new(status: u16, error: &str) -> Self {
        Self {
            status,
            body: json!({"success": false, "error": error, "errorCode": status,
                "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.", "data": null,
                "additional_data": null}),
        }
    }

    pub(super) fn invalid(what: &str) -> Self {
        let body = json!({"success": false, "error": format!("Validation failed: {what}"), "code": "ERR_SCHEMA_VALIDATION_FAILED",
            "statusCode": 400, "statusText": "Bad Request", "service": "entity-api"});
        Self { status: 400, body }
    }

    pub(super) fn not_found(error: &str) -> Self {
        Self {
            status: 404,
            body: json!({"success": false, "error": error, "error_info": "Object was not found.", "data": null, "additional_data": null}),
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self { status: 401, body: json!({"success": false, "error": "unauthorized access", "errorCode": 401}) }
    }

    pub(super) fn scope() -> Self {
        Self::new(403, "Scope and URL mismatch")
    }

    pub(super) fn limit() -> Self {
        Self::new(429, "request over limit")
    }

    /// The form of webhooks.
    pub(super) fn hook(status: u16, field: &str, why: &str) -> Self {
        Self { status, body: json!({"status": "error", "success": false, "errors": {field: [why]}}) }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::json(failure.status, &failure.body)
    }
}
