//! The body of a request to the protocol's endpoints: `application/x-www-form-urlencoded` (RFC 6749 Appendix B).

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::header;
use kernel::{Kind, Result};
use web::{Endpoint, Failure, read_body};

use crate::errors::invalid_request;

/// Largest body in bytes.
pub(crate) const MAX_FORM: usize = 64 * 1024;
/// Most parameters.
const MOST: usize = 64;
/// Parameters that may be there more than once (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// Parameters, each once but for those that may be repeated. An empty one counts as absent (RFC 6749 §3.1).
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads parameters. Error: 400 `invalid_request`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if pairs.len() == MOST {
                return Err(invalid_request("There are too many parameters."));
            }
            if name.contains('\0') || value.contains('\0') {
                return Err(invalid_request("A parameter must not contain NUL."));
            }
            if !REPEATABLE.contains(&&*name) && pairs.iter().any(|(known, _)| *known == name) {
                return Err(invalid_request(format!("The parameter {name} is there more than once.")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// A parameter, if it is there and not empty.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there. Error: 400 `invalid_request`.
    pub(crate) fn need(&self, name: &str) -> Result<&str> {
        self.one(name).ok_or_else(|| invalid_request(format!("The parameter {name} is missing.")))
    }

    /// Every value of a parameter that may be repeated.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let limit = request.extensions().get::<Arc<Endpoint>>().map_or(MAX_FORM, |endpoint| endpoint.body_limit);
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(invalid_request("Send the parameters as application/x-www-form-urlencoded.").into());
        }
        let bytes = read_body(request.into_body(), limit).await.map_err(|error| match error.kind() {
            Kind::TooLarge => invalid_request("The body is too large."),
            _ => error,
        })?;
        Ok(Self::parse(&bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_parameter_is_there_once() {
        let form = Form::parse(b"a=1&b=x+y%21&c=&resource=r1&resource=r2").unwrap();
        assert_eq!((form.one("a"), form.one("b"), form.one("c"), form.one("d")), (Some("1"), Some("x y!"), None, None));
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["r1", "r2"]);
        assert_eq!(form.need("c").unwrap_err().code(), "invalid_request");
        for bad in [&b"a=1&a=1"[..], b"a=%00", b"%00=1"] {
            assert_eq!(Form::parse(bad).err().map(|error| error.code()), Some("invalid_request"));
        }
        assert!(Form::parse(b"a1=&").is_ok());
        let many: String = (0..65).map(|n| format!("p{n}=1&")).collect();
        assert!(Form::parse(many.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Form::parse(&bytes);
        }
    }
}
