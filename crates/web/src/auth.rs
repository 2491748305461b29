//! Who is asking, as a handler's argument.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use kernel::{Caller, Error};

use crate::failure::Failure;

/// The [`Caller`] that `gate` put into the request's extensions. On a public route, where there may be none, take `Option<Auth>`.
#[derive(Clone, Debug)]
pub struct Auth(pub Caller);

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let missing = || Error::unauthenticated("unauthenticated", "Send a credential: Authorization: Bearer <key>.");
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(|| missing().into())
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Auth {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Caller>().cloned().map(Self))
    }
}
