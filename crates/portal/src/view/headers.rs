//! The headers of every page: nothing is loaded from elsewhere, nothing runs that is not ours, nobody frames it, nothing is kept.

use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// Where the forms of a page may lead, beside this server: browsers hold `form-action` against the redirects that follow a form too, and
/// whoever consents is led to the application. In a response's extensions.
#[derive(Clone)]
pub(crate) struct LeadsTo(pub(crate) String);

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'";

/// Whoever comes by a link with a token must not hand the token on: no address of ours goes to another site. `no-referrer` would also take
/// `Origin` from our own forms, by which they are told from other sites'.
const REFERRERS: &str = "same-origin";

const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), \
                           publickey-credentials-create=(self)";

const FIXED: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, REFERRERS),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds them.
pub(super) fn add(response: &mut Response, https: bool) {
    let policy = response.extensions_mut().remove::<LeadsTo>().and_then(|to| source_of(&to.0)).map_or_else(
        || HeaderValue::from_static(POLICY),
        |source| HeaderValue::from_str(&format!("{POLICY} {source}")).unwrap_or_else(|_| HeaderValue::from_static(POLICY)),
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// The source expression for an address: its origin, or its scheme where that is an application's own (RFC 8252, 7.1).
fn source_of(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    match url.scheme() {
        "http" | "https" => Some(url.origin().ascii_serialization()),
        scheme => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_to_one_place_more() {
        for (address, source) in [
            ("https://app.example/cb?x=1;script-src *", Some("https://app.example")),
            ("http://127.0.0.1:7777/cb", Some("http://127.0.0.1:7777")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("no address", None),
        ] {
            assert_eq!(source_of(address).as_deref(), source, "{address}");
        }
    }
}
