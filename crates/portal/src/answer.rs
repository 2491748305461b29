//! What a page answers with: itself, or the way to another.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::{Error, Secret};

use crate::Portal;

/// Where whoever has signed in begins.
pub(crate) const HOME: &str = "/portal";
/// The longest way back that we remember.
const LONGEST: usize = 2000;

/// A whole page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => web::Failure(Error::internal(error)).into_response(),
    }
}

/// A page with 200.
pub(crate) fn ok(template: &impl Template) -> Response {
    page(StatusCode::OK, template)
}

/// Leads on with a GET (303), so that reloading sends no form twice. An address that no header can carry leads home.
pub(crate) fn to(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static(HOME));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// To the sign-in page, and back to `address` afterwards.
pub(crate) fn to_door(address: &str) -> Response {
    to(&with_next(people::paths::SIGN_IN, Some(address)))
}

/// `path`, remembering where to go on.
pub(crate) fn with_next(path: &str, next: Option<&str>) -> String {
    match next.filter(|next| *next != HOME) {
        None => path.to_owned(),
        Some(next) => {
            let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            format!("{path}?next={query}")
        }
    }
}

/// An address of this server that may be gone to after signing in: a path, and nothing that a browser reads as another host's
/// (`//evil`, `/\evil`; browsers also drop tabs and line ends from an address).
pub(crate) fn own_path(address: &str) -> Option<&str> {
    let is_path = address.starts_with('/') && !matches!(address.as_bytes().get(1), Some(b'/' | b'\\'));
    let is_clean = address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (is_path && is_clean && address.len() <= LONGEST).then_some(address)
}

/// Puts a session's token into the browser.
pub(crate) fn with_session(mut response: Response, token: &Secret<String>, portal: &Portal) -> Response {
    response.headers_mut().append(header::SET_COOKIE, people::cookie::set(token, portal.is_https()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        for good in ["/portal", "/portal/consent?request=x&y=%2F", "/oauth/authorize?a=b"] {
            assert_eq!(own_path(good), Some(good));
        }
        let long = format!("/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\\b",
            "/a b",
            "/\t/evil.example",
            "/ü",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(own_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_way_back_is_one_parameter() {
        assert_eq!(with_next("/portal/sign-in", Some("/a?b=c&d=e")), "/portal/sign-in?next=%2Fa%3Fb%3Dc%26d%3De");
        assert_eq!(with_next("/portal/sign-in", Some(HOME)), "/portal/sign-in");
    }
}
