//! The error of a handler.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use kernel::Error;

use crate::problem::status;

/// The result of a handler.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A [`kernel::Error`] on its way out. Its response has the right status and no body; the error travels in the response's extensions as
/// `Arc<kernel::Error>` until the gate, or the router's outermost layer, renders it in the endpoint's form.
#[derive(Debug)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = status(self.0.kind());
        response.extensions_mut().insert(Arc::new(self.0));
        response
    }
}
