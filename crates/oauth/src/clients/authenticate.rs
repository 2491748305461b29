//! How a client proves itself to `/oauth/token`, `/oauth/par`, `/oauth/introspect`, `/oauth/revoke` (RFC 6749 §2.3).
//!
//! An unknown client and a wrong secret look the same and cost the same hash. Secrets have 256 bits, so guessing is hopeless; failures are
//! counted by network all the same, since each may cost a look at the database.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use kernel::{ClientId, Error, Kind, Result};
use web::network;

use super::{AuthMethod, OAuthClient};
use crate::Oauth;
use crate::assertions;
use crate::errors::{invalid_client, invalid_request};
use crate::form::Form;

/// Failures of one network in a minute, beyond which its clients wait.
const FAILURES: u32 = 100;

/// What a request shows.
struct Shown {
    client_id: String,
    proof: Proof,
}

enum Proof {
    Nothing,
    Secret(AuthMethod, String),
    /// A JWT that it signed, in the form.
    Assertion,
}

impl Oauth {
    /// The client that a request to the token endpoint comes from, proven. `ip`: where it came from.
    ///
    /// Errors: 401 `invalid_client`, 400 `invalid_request`, 429 `too_many_failures`; those of the store.
    pub(crate) async fn authenticate_client(
        self: &Arc<Self>,
        headers: &HeaderMap,
        form: &Form,
        ip: Option<IpAddr>,
    ) -> Result<Arc<OAuthClient>> {
        let now = self.ambient.now();
        let from = ip.map(network);
        if let Some(from) = &from {
            self.failures.wait(from, FAILURES, now).map_err(|wait| too_many().retry_after(wait))?;
        }
        let outcome = self.prove(headers, form).await;
        if let (Err(error), Some(from)) = (&outcome, from)
            && error.kind() == Kind::Unauthenticated
        {
            self.failures.count(from, now);
        }
        outcome
    }

    async fn prove(self: &Arc<Self>, headers: &HeaderMap, form: &Form) -> Result<Arc<OAuthClient>> {
        let shown = show(headers, form)?;
        let client = match shown.client_id.parse::<ClientId>() {
            Ok(id) => self.client(id).await?,
            Err(_) => None,
        };
        let is_proven = match &shown.proof {
            Proof::Assertion => match client.as_deref() {
                Some(client) => self.verify_assertion(form, client).await.map(|()| true)?,
                None => false,
            },
            Proof::Nothing => client.as_deref().is_some_and(|client| client.proves_by(AuthMethod::None)),
            Proof::Secret(method, secret) => {
                let fits = self.access.proves_client(client.as_deref().map(|client| &client.app), secret);
                fits & client.as_deref().is_some_and(|client| client.proves_by(*method))
            }
        };
        client.filter(|client| is_proven && client.app.is_active).ok_or_else(refused)
    }
}

fn refused() -> Error {
    invalid_client("The client is unknown, suspended, or did not prove itself in the way that it is set up for.")
}

fn too_many() -> Error {
    Error::new(Kind::RateLimited, "too_many_failures", "Too many clients failed to prove themselves from your address. Wait a little.")
}

/// More than one proof is refused (RFC 6749 §2.3).
fn show(headers: &HeaderMap, form: &Form) -> Result<Shown> {
    let named = form.one("client_id");
    let posted = form.one("client_secret");
    if let Some(client_id) = assertions::claimed(form)? {
        if posted.is_some() || headers.contains_key(header::AUTHORIZATION) {
            return Err(invalid_request("The client proves itself in more than one way."));
        }
        return Ok(Shown { client_id, proof: Proof::Assertion });
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (client_id, secret) = value.to_str().ok().and_then(basic).ok_or_else(refused)?;
        if posted.is_some() || named.is_some_and(|named| named != client_id) {
            return Err(invalid_request("The client proves itself in more than one way."));
        }
        return Ok(Shown { client_id, proof: Proof::Secret(AuthMethod::ClientSecretBasic, secret) });
    }
    let client_id = named.ok_or_else(|| invalid_client("The request does not say which client it comes from."))?.to_owned();
    let proof = posted.map_or(Proof::Nothing, |secret| Proof::Secret(AuthMethod::ClientSecretPost, secret.to_owned()));
    Ok(Shown { client_id, proof })
}

/// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

/// What was not encoded although it should have been is taken as it is.
fn decoded(text: &str) -> String {
    if text.contains(['=', '&']) {
        return text.to_owned();
    }
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_decoded_twice() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic(&header("cli_1:a%2Bb")), Some(("cli_1".into(), "a+b".into())));
        assert_eq!(basic(&header("cli_1:")), Some(("cli_1".into(), String::new())));
        assert_eq!(basic(&header("cli_1:a=b")), Some(("cli_1".into(), "a=b".into())));
        assert_eq!(basic(&header("nothing")), None);
        assert_eq!(basic("Bearer x"), None);
        assert_eq!(basic("Basic %%%"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(text in "\\PC{0,200}") {
            let _ = (basic(&text), basic(&format!("Basic {}", STANDARD.encode(&text))));
        }
    }
}
