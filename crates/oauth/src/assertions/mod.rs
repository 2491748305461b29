//! Clients that prove themselves by a JWT that they sign: `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9). No secret is shared, so
//! none can leak from here.

mod check;
mod remote;

use std::sync::Arc;

use access::jose::JwkSet;
use kernel::{Error, Result};

use crate::clients::{AuthMethod, OAuthClient};
use crate::errors::invalid_client;
use crate::form::Form;
use crate::{Oauth, system, used_tokens};

pub(crate) use remote::RemoteKeys;

/// The only type of assertion that is read.
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client that a request's assertion says that it is of, if there is an assertion. Not believed. Error: 400 `invalid_client`.
pub(crate) fn claimed(form: &Form) -> Result<Option<String>> {
    let Some(assertion) = form.one("client_assertion") else { return Ok(None) };
    if form.one("client_assertion_type") != Some(TYPE) {
        return Err(invalid_client(format!("client_assertion_type must be {TYPE}.")));
    }
    let client = check::subject(assertion).ok_or_else(|| invalid_client("The client_assertion cannot be read."))?;
    if form.one("client_id").is_some_and(|named| named != client) {
        return Err(invalid_client("The client_assertion is another client's than client_id."));
    }
    Ok(Some(client))
}

impl Oauth {
    /// Checks the assertion of a request: signed by `client`, for us, and not used before.
    ///
    /// Errors: 401 `invalid_client`; those of the store.
    pub(crate) async fn verify_assertion(self: &Arc<Self>, form: &Form, client: &OAuthClient) -> Result<()> {
        if client.stored.auth_method != Some(AuthMethod::PrivateKeyJwt) {
            return Err(invalid_client("This client does not prove itself by an assertion."));
        }
        let assertion = form.one("client_assertion").unwrap_or_default();
        let id = client.app.id.to_string();
        let issuer = self.config.issuer.as_str();
        let endpoints = ["/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke", "/oauth/device_authorization"];
        let endpoints = endpoints.map(|path| format!("{issuer}{path}"));
        let audiences: Vec<&str> = std::iter::once(issuer).chain(endpoints.iter().map(String::as_str)).collect();
        let now = self.ambient.now();
        let keys = self.keys_of(client, false).await?;
        let mut outcome = check::check(assertion, &keys, &id, &audiences, now);
        // It may have rotated its keys since we fetched them.
        if outcome.is_err() && client.stored.jwks_uri.is_some() {
            outcome = check::check(assertion, &*self.keys_of(client, true).await?, &id, &audiences, now);
        }
        let asserted = outcome.map_err(invalid_client)?;
        let first = self
            .store
            .write(system(), move |tx| used_tokens::is_first(tx, used_tokens::Kind::Assertion, &id, &asserted.jti, asserted.until));
        if first.await? { Ok(()) } else { Err(invalid_client("The client_assertion was used before. Make one for each request.")) }
    }

    /// The keys of a client: given, or fetched from where it publishes them.
    async fn keys_of(&self, client: &OAuthClient, anew: bool) -> Result<Arc<JwkSet>> {
        if let Some(given) = &client.stored.jwks {
            return JwkSet::read(given).map(Arc::new).map_err(Error::internal);
        }
        let Some(address) = &client.stored.jwks_uri else { return Err(invalid_client("The client has no keys.")) };
        let remote = self.remote_keys.get().ok_or_else(|| invalid_client("Keys are not fetched here: give them as jwks."))?;
        remote.get(client.app.id, address, anew, self.ambient.now()).await
    }
}
