//! What handlers answer.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::Error;
use serde::Serialize;

use crate::failure::Failure;

/// 201 with `Location` and the object itself.
#[derive(Debug)]
pub struct Created<T> {
    /// Where the object is, such as `/api/v1/api-clients/cli_…`.
    pub location: String,
    /// The object.
    pub body: T,
}

/// 202 with a body: the work is queued.
#[derive(Debug)]
pub struct Accepted<T>(pub T);

/// 204.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let Ok(location) = HeaderValue::try_from(self.location) else {
            return Failure(Error::internal("a Location that no header can carry")).into_response();
        };
        let mut response = json_response(StatusCode::CREATED, &self.body);
        response.headers_mut().insert(header::LOCATION, location);
        response
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::ACCEPTED, &self.0)
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// A JSON answer; a value that does not serialise is our fault (500).
pub(crate) fn json_response<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(error) => Failure(Error::internal(error)).into_response(),
    }
}
