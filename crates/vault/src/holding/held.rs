//! What a carrier of calls gets.

use kernel::Secret;
use serde_json::{Map, Value};

/// A credential that is good now, as far as anybody knows.
#[derive(Clone)]
pub struct Held {
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

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("generation", &self.generation).field("account", &self.account).finish_non_exhaustive()
    }
}
