//! Query parameters.

use std::error::Error as _;

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::Error;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::json_text::escape;
use crate::parameters;

/// The query parameters as a `T`. Errors: 422 `validation_failed` with the parameter as pointer; NUL in a value is one of them, and a parameter that
/// neither `T` nor the endpoint's documentation knows.
///
/// A `T` beside [`crate::Paging`] must not deny unknown fields, since it sees `limit` and `cursor` too.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        if let Some((name, _)) = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(Error::field(format!("/{}", escape(&name.replace('\0', ""))), "must not contain NUL").into());
        }
        if let Some(names) = parameters::names_of::<T>() {
            parameters::check(parts, names)?;
        }
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => Err(fault(&rejection).into()),
        }
    }
}

/// The innermost source is serde_path_to_error's, which writes `name: what is wrong`.
fn fault(rejection: &axum::extract::rejection::QueryRejection) -> Error {
    let text = rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string);
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    let (name, detail) = text.split_once(": ").filter(|(name, _)| !name.contains([' ', '`'])).unwrap_or(("", text));
    let field = detail.split('`').nth(1).filter(|_| detail.contains(" field `"));
    let pointer = match (name, field) {
        ("", None) => String::new(),
        ("", Some(field)) => format!("/{}", escape(field)),
        (name, _) => format!("/{}", escape(name)),
    };
    Error::field(pointer, detail)
}
