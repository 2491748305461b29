//! Where a credential may go: a sealed one to the origin that it was given for, a token of the vault to its own API. Whoever may change an
//! integration, or describe its connector anew, does not thereby send somebody's credential to another host.

use connectors::Connector;
use kernel::{Error, Result};
use serde_json::{Map, Value};
use url::Url;
use vault::OauthToken;

use super::check::base_url;

/// The code of a sealed credential that would go elsewhere.
pub(crate) const CREDENTIALS_BOUND: &str = "credentials_bound";
/// The code of a token that would go elsewhere.
pub(crate) const TOKEN_BASE_REFUSED: &str = "token_base_refused";
/// What is said of the first.
pub(crate) const SEND_AGAIN: &str =
    "the credentials were given for another origin than the one that is asked for now: send them again, together with the new address";
/// What is said of the second.
pub(crate) const NOT_ITS_API: &str =
    "a token goes to its vendor's own API only; for another address connect it with an app of your own and that baseUrl";

/// Scheme, host and port of where an integration's calls go, as far as its configuration and connector say.
pub(crate) fn origin(config: &Map<String, Value>, connector: Option<&dyn Connector>) -> Option<String> {
    let base = base_url(config).ok().flatten().map(str::to_owned);
    let base = base.or_else(|| connector.and_then(|connector| connector.base_url(config)))?;
    Url::parse(&base).ok().map(|url| origin_of(&url))
}

pub(crate) fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// That credentials that are kept stay where they were given for. What did not change is no reason to refuse a change of the name: calls are
/// judged again when they are made. Error: 422 `credentials_bound`.
pub(super) fn check_kept(bound: Option<&str>, before: Option<&str>, after: Option<&str>) -> Result<()> {
    if after == before || after == bound {
        return Ok(());
    }
    let detail = "Credentials stay with the origin that they were given for. Send the credentials again in the same request.";
    Err(Error::invalid(CREDENTIALS_BOUND, detail).at("/config/baseUrl", SEND_AGAIN))
}

/// That an override is where the token is good. Error: 422 `token_base_refused`.
pub(super) fn check_token(config: &Map<String, Value>, token: &OauthToken) -> Result<()> {
    let Some(base) = base_url(config)? else { return Ok(()) };
    let is_its = Url::parse(base).is_ok_and(|url| vault::is_of_api(&token.provider, token.api_base_url.as_deref(), &url));
    if is_its {
        return Ok(());
    }
    let detail = "The token is not sent to this address: it goes to its vendor's own API only.";
    Err(Error::invalid(TOKEN_BASE_REFUSED, detail).at("/config/baseUrl", NOT_ITS_API))
}
