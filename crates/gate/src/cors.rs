//! CORS (the Fetch standard): an answer may be read by a page only if the client of the credential allows the page's origin. Preflights,
//! which carry no credential, are answered by `web` for origins that any client allows. There are no cookies here, so nothing says that
//! credentials are allowed, and no answer ever says `*`.

use http::{HeaderMap, HeaderValue, header};

/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, RateLimit-Policy, RateLimit, Retry-After, \
     Idempotent-Replayed, Location, Deprecation, Sunset",
);

/// Lets pages of `origin` read the answer.
pub(crate) fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Says that the answer depends on the page: a cache must not give one page what another was answered.
pub(crate) fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}
