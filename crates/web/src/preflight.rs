//! CORS preflights (the Fetch standard): a browser asks before a page's call, without the credential that the call will carry.
//!
//! An origin that some client allows is told that it may ask; what the answer to the call itself says is decided by that call's credential
//! (`gate`). So a preflight tells nobody whose client allows an origin, and an origin that nobody allows learns nothing.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// Knows the origins whose pages may ask.
pub trait Origins: Send + Sync {
    /// Whether any client allows pages of `origin`.
    fn is_known(&self, origin: &str) -> bool;
}

/// Longest list of header names that is echoed, in bytes.
const MAX_NAMES: usize = 1024;
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// Seconds that a browser may remember the answer.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The answer to a preflight; none: it is another request.
pub(crate) fn answer(origins: Option<&Arc<dyn Origins>>, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN).filter(|_| *request.method() == Method::OPTIONS)?;
    headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    response.headers_mut().insert(header::VARY, HeaderValue::from_static(vary));
    let is_known = |text: &str| origins.is_some_and(|origins| origins.is_known(text));
    if origin.to_str().is_ok_and(is_known) {
        allow(response.headers_mut(), origin, headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS));
    }
    Some(response)
}

fn allow(answer: &mut HeaderMap, origin: &HeaderValue, names: Option<&HeaderValue>) {
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    let is_list = |value: &&HeaderValue| {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
        value.len() <= MAX_NAMES && value.as_bytes().iter().all(fits)
    };
    if let Some(names) = names.filter(is_list) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
}
