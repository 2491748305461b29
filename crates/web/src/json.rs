//! JSON in and out.

use std::sync::Arc;

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use kernel::{Error, Kind};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::body::{DEFAULT_BODY_LIMIT, read_body};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::json_text;
use crate::respond::json_response;

/// A JSON body. As an argument: exactly one `Content-Type` that is JSON in UTF-8 (415), within the endpoint's limit (413), well-formed (400),
/// and a `T` (422 `validation_failed`, with a pointer to the fault). NUL in any text is 422. As an answer: 200.
///
/// `Option<Json<T>>` also takes a request without a body, whatever its content type.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

/// The same, and the body's own bytes: for payloads that must be kept as they came (take them as `Box<RawValue>` fields of `T`).
#[derive(Clone, Debug)]
pub struct RawJson<T> {
    /// The body as it arrived.
    pub bytes: Bytes,
    /// What it says.
    pub value: T,
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = json_body(request).await?;
        Ok(Self(parse(&bytes)?))
    }
}

impl<T: DeserializeOwned, S: Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Failure> {
        use axum::body::HttpBody as _;
        // Clients that say what they would send, and send nothing, have sent nothing.
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for RawJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = json_body(request).await?;
        let value = parse(&bytes)?;
        Ok(Self { bytes, value })
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

async fn json_body(request: Request) -> kernel::Result<Bytes> {
    let (parts, body) = request.into_parts();
    let limit = parts.extensions.get::<Arc<Endpoint>>().map_or(DEFAULT_BODY_LIMIT, |endpoint| endpoint.body_limit);
    if !is_json(&parts.headers) {
        return Err(Error::new(Kind::UnsupportedMedia, "unsupported_media_type", "Send JSON with one Content-Type: application/json."));
    }
    read_body(body, limit).await
}

/// Exactly one content type: `application/json` or `application/…+json`, without a charset other than UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    json && !text.contains(',')
        && parts.all(|part| match part.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Makes a `T` of JSON text.
fn parse<T: DeserializeOwned>(text: &[u8]) -> kernel::Result<T> {
    json_text::check(text)?;
    // Nearly every body is good: only a bad one is read a second time, to find the place of its fault. Structs would also be read from
    // arrays, by position.
    let is_array = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_array && let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| fault(text, error))?;
    parser.end().map_err(|error| json_text::malformed(format!("The body is not JSON: {error}.")))?;
    if is_array {
        let text = "The body must be a JSON object.";
        return Err(Error::invalid("validation_failed", text).at("", "is an array, not an object"));
    }
    Ok(value)
}

/// The body of an operation that takes nothing: absent, or an object without members, so that nobody thinks that an option was understood.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

fn fault(text: &[u8], error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().clone();
    let error = error.into_inner();
    if error.classify() != Category::Data {
        return json_text::malformed(format!("The body is not JSON: {error}."));
    }
    // A broken rule counts only in JSON that is whole: the parser may have met it before it came to the place where the text is malformed.
    match serde_json::from_slice::<IgnoredAny>(text) {
        Err(error) => json_text::malformed(format!("The body is not JSON: {error}.")),
        Ok(_) => broken_rule(&path, &error),
    }
}

/// 422 with the place and what is wrong there. serde names the object for a field that is missing or unknown; the pointer goes on to the field.
fn broken_rule(path: &Path, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    // serde_json ends its texts with a position, which the pointer makes superfluous.
    let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
    let mut place = pointer(path);
    let named = |prefix: &str| detail.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    if let Some(field) = named("missing field `").or_else(|| named("unknown field `")).or_else(|| named("duplicate field `")) {
        let token = format!("/{}", json_text::escape(field));
        if !place.ends_with(&token) {
            place.push_str(&token);
        }
    }
    Error::field(place, detail)
}

fn pointer(path: &Path) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => out.push_str(&format!("/{}", json_text::escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}
