//! A body that is read as a whole and checked before the backend sees anything of the call.

use axum::body::Body;
use axum::extract::{FromRequest as _, Request};
use blueprint::Schema;
use bytes::Bytes;
use http::request::Parts;
use kernel::{Error, Result};
use serde_json::Value;
use web::RawJson;

/// Reads a body of JSON that satisfies `schema`, and gives its bytes as they came.
///
/// Errors: those of [`web::Json`]; 400 `duplicate_member`; 422 `validation_failed` with the places.
pub(super) async fn read(schema: &Schema, parts: &Parts, body: Body) -> Result<Bytes> {
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    // It knows how large the body may be.
    if let Some(endpoint) = parts.extensions.get::<std::sync::Arc<web::Endpoint>>() {
        request.extensions_mut().insert(std::sync::Arc::clone(endpoint));
    }
    let RawJson { bytes, value } = RawJson::<Value>::from_request(request, &()).await.map_err(|failure| failure.0)?;
    // The backend may read the other one of two members than we have checked.
    if let Some(pointer) = events::duplicate_member(std::str::from_utf8(&bytes).unwrap_or_default()) {
        let detail = "An object has the same member twice: readers disagree about which one counts. Send each once.";
        return Err(Error::malformed("duplicate_member", detail).at(pointer, "occurs twice"));
    }
    let faults = schema.check(&value, "");
    if faults.is_empty() {
        return Ok(bytes);
    }
    Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults))
}
