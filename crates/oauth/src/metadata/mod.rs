//! What clients read to find their way: RFC 8414, OpenID Connect Discovery, RFC 9728.

mod authorization_server;
mod protected_resource;

pub(crate) use authorization_server::handle as authorization_server;
pub(crate) use protected_resource::{handle as protected_resource, handle_path as protected_resource_path};

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde_json::Value;

/// A document that everybody may read, from pages too, and keep for a while.
fn public(document: &Value) -> Response {
    let mut response = web::Json(document).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
