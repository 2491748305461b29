//! Which part of a list is asked for, as a handler's argument.

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::page::{DEFAULT_LIMIT, MAX_LIMIT};
use kernel::{Error, PageRequest};

use crate::failure::Failure;

/// `limit` (default 20, most 100) with `cursor` or `page`. Other parameters are left alone.
///
/// A cursor goes on in the list of its path and filters only.
///
/// Errors: 422 `validation_failed`, 400 `malformed_cursor`, 400 `invalid_cursor`.
#[derive(Clone, Debug)]
pub struct Paging(pub PageRequest);

impl Paging {
    /// From a path and its query string, with other bounds of the limit than the usual.
    pub fn parse(path: &str, query: &str, default: u32, max: u32) -> kernel::Result<PageRequest> {
        let (mut limit, mut cursor, mut page) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.as_ref() {
                "limit" => &mut limit,
                "cursor" => &mut cursor,
                "page" => &mut page,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Error::field(format!("/{name}"), "must be given once"));
            }
        }
        let bound = kernel::page::binding(path, url::form_urlencoded::parse(query.as_bytes()).into_owned());
        PageRequest::parse(limit.as_deref(), cursor.as_deref(), page.as_deref(), (default, max), bound)
    }
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        crate::parameters::check(parts, &[])?;
        Ok(Self(Self::parse(parts.uri.path(), parts.uri.query().unwrap_or_default(), DEFAULT_LIMIT, MAX_LIMIT)?))
    }
}
