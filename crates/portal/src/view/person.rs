//! Who must be there for a page to be shown, as a handler's argument. Whoever is not signed in is led to the door, and back afterwards.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::Method;
use http::request::Parts;
use kernel::{Caller, Error, Result};
use people::SignedIn;
use web::Failure;

use super::{Shared, of_request};
use crate::answer::{self, to_door};

/// Somebody who has signed in, with what the page knows.
pub(crate) struct Person {
    pub(crate) view: Shared,
    pub(crate) signed: Arc<SignedIn>,
}

impl Person {
    /// The person's authority over their own things.
    pub(crate) fn caller(&self) -> Result<Caller> {
        self.signed.caller(None, Arc::clone(&self.view.info))
    }
}

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let view = of_request(parts).map_err(IntoResponse::into_response)?;
        match &view.signed {
            Some(signed) => Ok(Self { signed: Arc::clone(signed), view }),
            // A form cannot be sent again after the door; the page that it stands on can be opened again.
            None if parts.method == Method::GET || parts.method == Method::HEAD => Err(to_door(&view.address)),
            None => Err(to_door(view.address.split('?').next().unwrap_or(answer::HOME))),
        }
    }
}

/// Somebody with an account of their own: not a guest whom the host has sent.
pub(crate) struct Account(pub(crate) Person);

impl std::ops::Deref for Account {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Account {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let person = Person::from_request_parts(parts, state).await?;
        if person.signed.bound_tenant.is_some() {
            let detail = "You came here by a link of the product that you use; it manages your account. Change your password there.";
            return Err(Failure(Error::forbidden("account_elsewhere", detail)).into_response());
        }
        Ok(Self(person))
    }
}

/// One of the operator's people.
pub(crate) struct Operator(pub(crate) Person);

impl std::ops::Deref for Operator {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let person = Person::from_request_parts(parts, state).await?;
        if person.signed.operator.is_none() {
            // As for a page that does not exist: who operates this server is nobody else's business.
            return Err(Failure(Error::not_found("page")).into_response());
        }
        Ok(Self(person))
    }
}
