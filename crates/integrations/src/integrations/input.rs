//! What an integration is made and changed with.

use std::collections::BTreeMap;

use kernel::OauthTokenId;
use serde::Deserialize;
use serde_json::{Map, Value};
use web::Patch;

/// An integration, as POST makes it.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IntegrationInput {
    /// The connector's slug, from the marketplace: `salesforce`.
    pub connector: String,
    /// A name for people. Default: the connector's.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it may be used. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Notes for people.
    #[serde(default)]
    pub notes: Option<String>,
    /// `production` (the default), `staging` or `development`: a label.
    #[serde(default)]
    pub environment: Option<String>,
    /// The connector's settings, and `baseUrl` to reach the vendor somewhere else.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
    /// By name, as the connector signs in: `apiKey`; `username` and `password`; `accessToken` where there is no token in the vault. Sealed, and
    /// never answered. `webhookSecret`: what the vendor signs its calls with, where the vendor chose it.
    #[serde(default)]
    #[schema(write_only)]
    pub credentials: Option<BTreeMap<String, String>>,
    /// A token in the vault, for connectors with OAuth.
    #[serde(default)]
    pub oauth_token_id: Option<OauthTokenId>,
}

/// A change: what is absent stays, `null` empties.
#[derive(Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IntegrationPatch {
    /// A name for people.
    pub name: Option<String>,
    /// Whether it may be used.
    pub enabled: Option<bool>,
    /// Notes for people.
    pub notes: Patch<String>,
    /// A label.
    pub environment: Option<String>,
    /// Replaces the whole configuration.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
    /// Replaces all credentials; `null` forgets them.
    #[schema(value_type = Option<BTreeMap<String, String>>, write_only)]
    pub credentials: Patch<BTreeMap<String, String>>,
    /// A token in the vault.
    #[schema(value_type = Option<String>)]
    pub oauth_token_id: Patch<OauthTokenId>,
}

impl std::fmt::Debug for IntegrationInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntegrationInput").field("connector", &self.connector).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for IntegrationPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntegrationPatch").field("name", &self.name).finish_non_exhaustive()
    }
}
