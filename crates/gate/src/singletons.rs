//! Header fields that mean something once only. Of two, one program reads the first and another the last: what a proxy let through on the
//! strength of one must not be served on the strength of the other.

use http::{HeaderMap, HeaderName, header};
use kernel::{Error, Result};

const ONCE: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::HOST,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("tradewind-tenant"),
    HeaderName::from_static("x-api-secret"),
];

/// Error: 400 `duplicate_header`.
pub(crate) fn check(headers: &HeaderMap) -> Result<()> {
    // As many values as names: nothing is there twice. Nearly every request ends here.
    if headers.len() == headers.keys_len() {
        return Ok(());
    }
    match ONCE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        None => Ok(()),
        Some(name) => Err(Error::malformed("duplicate_header", format!("The header {name} stands there twice. Send it once."))),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_means_something_once_is_refused() {
        let mut headers = HeaderMap::new();
        for value in ["a", "b"] {
            headers.append("x-anything", HeaderValue::from_static(value));
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        assert!(check(&headers).is_ok());
        for name in &ONCE {
            let mut headers = headers.clone();
            headers.append(name, HeaderValue::from_static("a"));
            assert!(check(&headers).is_ok(), "{name}");
            // The same value twice is as bad: who adds one does not know of the other.
            headers.append(name, HeaderValue::from_static("a"));
            assert_eq!(check(&headers).unwrap_err().code(), "duplicate_header", "{name}");
        }
    }
}
