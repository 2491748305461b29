//! What a person sees of a request that is answered nowhere else: who sent them, or where they would be sent, is in doubt (RFC 9700 §4.11).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use kernel::Error;

use crate::errors;

/// A page in plain HTML, without anything that could be loaded or run, in no frame.
pub(super) fn fault(error: &Error) -> Response {
    let text = web::html::escape(error.detail());
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>This request cannot be answered</title><main><h1>This request cannot be answered</h1><p>{text}</p>\
         <p>The application that sent you here made a mistake, or somebody wants to mislead you. Nothing was allowed. Go back to the application \
         and try again; if it happens again, tell its makers: <code>{}</code></p></main></html>",
        errors::name(error)
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = web::status(error.kind());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
