//! `If-Match`, `If-None-Match` and `ETag` (RFC 9110 §8.8.3, §13.1).

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::{Error, Result};
use records::{Expected, Record};
use web::Failure;

/// What the caller has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    matches: Option<String>,
    none_match: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self { matches: text(&parts.headers, &header::IF_MATCH)?, none_match: text(&parts.headers, &header::IF_NONE_MATCH)? })
    }
}

/// Several lines of a header say the same as one with commas.
fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>> {
    let fault = || Error::malformed("malformed_condition", "A condition is not printable ASCII. Send the ETag as it came.");
    let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().map_err(|_| fault())).collect::<Result<_>>()?;
    Ok(if lines.is_empty() { None } else { Some(lines.join(",")) })
}

impl Conditions {
    /// What a record must be for a change of it. Error: 400 `malformed_condition`.
    pub(crate) fn expected(&self) -> Result<Expected> {
        match (&self.matches, &self.none_match) {
            (Some(tags), _) => Expected::if_match(tags),
            (None, Some(tags)) if tags.trim() == "*" => Ok(Expected::Absent),
            (None, Some(_)) => {
                let detail = "With this method If-None-Match takes * only: create it if it is not there. Use If-Match for a version.";
                Err(Error::malformed("malformed_condition", detail))
            }
            (None, None) => Ok(Expected::Anything),
        }
    }

    /// The answer with its tag; 304 if the caller has this version. Error: 400 `malformed_condition`.
    pub(crate) fn answer(&self, record: &Record, response: Response) -> Result<Response> {
        match &self.none_match {
            Some(tags) if Expected::is_known(tags, record)? => Ok(tagged(record, StatusCode::NOT_MODIFIED.into_response())),
            _ => Ok(tagged(record, response)),
        }
    }
}

/// An answer that shows this version of a record.
pub(crate) fn tagged(record: &Record, mut response: Response) -> Response {
    if let Ok(tag) = HeaderValue::try_from(record.etag()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
