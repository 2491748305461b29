//! An answer's status and body.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::media::Media;
use crate::failure::Failure;
use crate::operate::{Reply, refusal};

/// Codes of refusals that are about the request itself, whose status says so in every form.
const MALFORMED: [&str; 2] = ["graphql_request_invalid", "graphql_batch_too_large"];

/// What a reply says, and whether something was executed.
pub(super) fn value(reply: &Reply) -> (Value, StatusCode) {
    match reply {
        Reply::Answered(answer) => (answer.json(), StatusCode::OK),
        Reply::Refused(failures) => (refusal(failures), StatusCode::BAD_REQUEST),
        // A stream has no value; those who cannot take one were refused before.
        Reply::Flows(_) => (Value::Null, StatusCode::OK),
    }
}

/// A single answer.
pub(super) fn one(media: Media, reply: &Reply) -> Response {
    let (value, status) = value(reply);
    let Reply::Refused(failures) = reply else { return response(media, status, &value) };
    let code = failures.first().map(Failure::code).unwrap_or_default();
    if code == "method_not_allowed" {
        let mut response = response(media, StatusCode::METHOD_NOT_ALLOWED, &value);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    // Clients of persisted queries expect to be told with a good status, in either form.
    let is_fine = code == "PERSISTED_QUERY_NOT_FOUND" || media == Media::Json && !MALFORMED.contains(&code);
    response(media, if is_fine { StatusCode::OK } else { status }, &value)
}

/// A body in the form that is wanted.
pub(super) fn response(media: Media, status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}
