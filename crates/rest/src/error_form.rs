//! Errors in the blueprint's style.

use std::sync::Arc;

use blueprint::model::{ErrorStyle, Style};
use http::StatusCode;
use kernel::{Error, FieldError, Kind, RequestId};
use serde_json::{Value, json};
use web::{ErrorForm, RenderError};

/// How an endpoint of the declared API shows its errors. `scope` is the one that it needs, for texts that name it; `not_found` its own text
/// for 404.
pub fn error_form(style: &Style, scope: &str, not_found: Option<&str>) -> ErrorForm {
    if style.errors == ErrorStyle::Problem && style.validation_status == 422 && style.error_texts.is_empty() && not_found.is_none() {
        return web::problem();
    }
    Arc::new(Declared {
        style: style.errors,
        validation: StatusCode::from_u16(style.validation_status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY),
        texts: style.error_texts.iter().map(|(code, text)| (code.clone(), text.replace("{scope}", scope))).collect(),
        not_found: not_found.map(str::to_owned),
    })
}

/// Codes of faults in what was sent, as opposed to those about credentials, tenants and idempotency keys.
const VALIDATION: &[&str] = &[
    "validation_failed",
    "unknown_scope",
    "scope_exceeds_client",
    "limit_exceeds_tier",
    "unknown_event_type",
    "invalid_transform",
    "url_refused",
    "inexact_number",
];

struct Declared {
    style: ErrorStyle,
    validation: StatusCode,
    texts: Vec<(String, String)>,
    not_found: Option<String>,
}

impl Declared {
    fn status(&self, error: &Error) -> StatusCode {
        // Only what the blueprint's own rules find has the blueprint's status: what all routes share stays as it is.
        let of_validation = error.kind() == Kind::Invalid && VALIDATION.contains(&error.code());
        if of_validation { self.validation } else { web::status(error.kind()) }
    }

    /// The blueprint's text, if it has one.
    fn own_text(&self, error: &Error) -> Option<&str> {
        let own = self.not_found.as_deref().filter(|_| error.kind() == Kind::NotFound);
        own.or_else(|| self.texts.iter().find(|(code, _)| code == error.code()).map(|(_, text)| text.as_str()))
    }
}

impl RenderError for Declared {
    fn render(&self, error: &Error, request: RequestId) -> (StatusCode, &'static str, Vec<u8>) {
        let status = self.status(error);
        let own = self.own_text(error);
        match self.style {
            ErrorStyle::Problem => {
                let mut value = web::problem_value(error, Some(request));
                value["status"] = status.as_u16().into();
                if let Some(text) = own {
                    value["detail"] = Value::from(text);
                }
                (status, "application/problem+json", value.to_string().into_bytes())
            }
            ErrorStyle::Success => {
                let message = own.map_or_else(|| message(error), str::to_owned);
                (status, "application/json", json!({"success": false, "error": message}).to_string().into_bytes())
            }
        }
    }
}

/// One sentence that says all: where there is no list of faults, they are told in the text.
fn message(error: &Error) -> String {
    if error.fields().is_empty() {
        return error.detail().to_owned();
    }
    error.fields().iter().map(fault).collect::<Vec<_>>().join("; ")
}

/// `status must be …` for the pointer `/status`.
fn fault(field: &FieldError) -> String {
    let place = field.pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    if place.is_empty() { field.detail.clone() } else { format!("{place} {}", field.detail) }
}
