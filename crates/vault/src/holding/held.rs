//! What a carrier of calls gets.

use kernel::Secret;
use serde_json::{Map, Value};
use url::Url;

use crate::providers::{self, hosts};

/// A credential that is good now, as far as anybody knows.
#[derive(Clone)]
pub struct Held {
    /// The vendor: `salesforce`.
    pub provider: String,
    /// The access token.
    pub token: Secret<String>,
    /// Which renewal it came from: what [`crate::Vault::renew`] wants to know after a 401. Grows.
    pub generation: u64,
    /// What stands before the token in `Authorization`: `Bearer`, `Zoho-oauthtoken`.
    pub scheme: String,
    /// Where this account's API is (`instance_url`, `api_domain`), without a slash at the end; `None`: the token does not say.
    pub base_url: Option<String>,
    /// What the vendor's answers said beside the token (`team.id`, `hub_id`), and what the host handed in. Some of it may be secret (Slack's
    /// `incoming_webhook.url`), so it is not for showing.
    pub metadata: Map<String, Value>,
    /// The account at the vendor, where it is known: HubSpot's portal, Salesforce's organisation and user. For budgets and for webhooks.
    pub account: Option<String>,
    /// The scopes that were granted; empty: the vendor does not say.
    pub scopes: Vec<String>,
}

impl Held {
    /// What `Authorization` has: scheme and token.
    pub fn authorization(&self) -> Secret<String> {
        Secret::new(format!("{} {}", self.scheme, self.token.reveal()))
    }
}

/// Whether an address is of the API that a credential is good at: at the account's base where it is known, else at one of the vendor's hosts.
pub fn is_of_api(provider: &str, api_base: Option<&str>, url: &Url) -> bool {
    if let Some(base) = api_base {
        return Url::parse(base).is_ok_and(|base| base.origin() == url.origin());
    }
    let Some(provider) = providers::find(provider) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && url.port().is_none() && hosts::is_one_of(&provider.api_base.hosts, host)
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("generation", &self.generation).field("account", &self.account).finish_non_exhaustive()
    }
}
