//! How a verified call is answered: as the source says, or as the vendor likes it.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

use super::Outcome;
use crate::cache::Loaded;
use crate::providers::Provider;

/// The answer to a call that became events, or was passed over, or came before.
pub(crate) fn accepted(source: &Loaded, outcome: &Outcome) -> Response {
    if let Some(form) = &source.response {
        let status = StatusCode::from_u16(form.status).unwrap_or(StatusCode::OK);
        let body = form.body.clone().unwrap_or_default();
        let content_type = (!body.is_empty()).then(|| form.content_type.clone().unwrap_or_else(|| "text/plain; charset=utf-8".to_owned()));
        return with_body(status, content_type.as_deref(), body);
    }
    match source.provider {
        // Twilio reads the body as instructions, Slack as a message.
        Provider::Twilio => with_body(StatusCode::OK, Some("text/xml"), "<Response/>".to_owned()),
        Provider::Slack => with_body(StatusCode::OK, None, String::new()),
        _ => web::Json(outcome).into_response(),
    }
}

/// The answer to a challenge.
pub(crate) fn challenge(text: String) -> Response {
    with_body(StatusCode::OK, Some("text/plain; charset=utf-8"), text)
}

fn with_body(status: StatusCode, content_type: Option<&str>, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(value) = content_type.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        // What a tenant chose to answer must not run as a page of ours.
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    }
    response
}
