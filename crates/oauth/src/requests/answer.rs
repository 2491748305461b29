//! The answer to an authorization request: an address for the browser.

use kernel::Error;

use super::redirect;
use crate::Oauth;
use crate::errors;

impl Oauth {
    /// An error for the client, with the issuer (RFC 9207), so that it is not taken for another server's.
    pub(super) fn refusal(&self, redirect_uri: &str, state: Option<&str>, error: &Error) -> String {
        let description = errors::description(error);
        let mut parameters = vec![("error", errors::name(error)), ("error_description", &description), ("iss", &self.config.issuer)];
        parameters.extend(state.map(|state| ("state", state)));
        redirect::with(redirect_uri, &parameters)
    }

    /// A code for the client.
    pub(super) fn success(&self, redirect_uri: &str, state: Option<&str>, code: &str) -> String {
        let mut parameters = vec![("code", code), ("iss", self.config.issuer.as_str())];
        parameters.extend(state.map(|state| ("state", state)));
        redirect::with(redirect_uri, &parameters)
    }
}
