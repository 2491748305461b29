//! A form that was sent. It cannot be had without the token of the page that it stood on.

use axum::extract::{FromRequest, Request};
use http::header;
use kernel::{Error, Kind, Secret};
use web::{Failure, read_body};

use super::{Shared, of_request};

/// More than any form of ours needs: the longest answer of a passkey is a few kilobytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// The fields of a form, in order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// A field's text without the spaces around it; empty if it is absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field's text as it was typed; empty if it is absent.
    fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A password, as it was typed.
    pub(crate) fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.raw(name).to_owned())
    }

    /// A field, if it says anything.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    /// Errors: 403 `form_expired` without this browser's token, 415 for what is no form, 413 for more than [`LIMIT`].
    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let Shared(view) = of_request(&parts)?;
        let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
            return Err(Error::new(Kind::UnsupportedMedia, "unsupported_media_type", "Send the form of the page.").into());
        }
        let bytes = read_body(body, LIMIT).await?;
        let form = Self(url::form_urlencoded::parse(&bytes).into_owned().collect());
        if !view.is_csrf(form.raw("csrf")) {
            return Err(expired().into());
        }
        Ok(form)
    }
}

/// A form of another page, of another browser, or of a session that has ended since.
fn expired() -> Error {
    let detail = "This form was opened before you signed in or out, or in another browser. Go back, reload the page and send it again.";
    Error::forbidden("form_expired", detail)
}
