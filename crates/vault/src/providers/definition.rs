//! A vendor that somebody describes: `custom`.

use std::collections::BTreeMap;

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

use super::provider::{Account, ApiBase, ClientAuthentication, Identity, Provider, Revoke, RevokeForm};

/// Most entries of a map or list of a description.
const MAX_ENTRIES: usize = 50;
/// Longest text of one.
const MAX_TEXT: usize = 500;

/// How a vendor that is not built in does OAuth 2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProviderDefinition {
    /// Where a person agrees.
    pub authorize_url: String,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: String,
    /// Where a grant is ended (RFC 7009); null: nowhere.
    pub revoke_url: Option<String>,
    /// Where the API is; null: `apiBaseMember` says.
    pub api_base_url: Option<String>,
    /// The member of the token answer that says where the API is, such as `instance_url`.
    pub api_base_member: Option<String>,
    /// What `iss` in the callback must be (RFC 9207).
    pub issuer: Option<String>,
    /// How the app proves itself.
    pub client_authentication: ClientAuthentication,
    /// Whether the code is bound to a verifier. Default: true.
    pub pkce: Option<bool>,
    /// Between scopes. Default: a blank.
    pub scope_separator: Option<String>,
    /// More parameters of the authorization request: `{"access_type": "offline"}`.
    pub authorize_parameters: BTreeMap<String, String>,
    /// More parameters when a code is exchanged.
    pub token_parameters: BTreeMap<String, String>,
    /// More parameters of a refresh.
    pub refresh_parameters: BTreeMap<String, String>,
    /// Below which member of the answer the tokens stand.
    pub token_at: Option<String>,
    /// Members of the token answer to keep, with dots between steps.
    pub keep: Vec<String>,
    /// What stands before the token in `Authorization`. Default: `Bearer`.
    pub scheme: Option<String>,
    /// JSON pointers into the token answer that say who the account is.
    pub account: Vec<String>,
    /// A path under the API that says who the account is; the pointers are `account`'s.
    pub identity_path: Option<String>,
    /// How long an access token lives where the answer does not say, in seconds; null: until it is refused.
    pub assumed_life_seconds: Option<u64>,
    /// A refresh token that nobody used for so many days is dead: it is used in time.
    pub idle_days: Option<u64>,
    /// Error codes that mean that the grant is over. Default: `invalid_grant`.
    pub dead: Vec<String>,
}

impl ProviderDefinition {
    /// Errors: 422 with the place, below `pointer`.
    pub(crate) fn check(&self, pointer: &str) -> Result<()> {
        let fault = |member: &str, detail: &str| Err(Error::field(format!("{pointer}/{member}"), detail));
        if self.authorize_url.is_empty() {
            return fault("authorizeUrl", "is required");
        }
        if self.token_url.is_empty() {
            return fault("tokenUrl", "is required");
        }
        let maps = [&self.authorize_parameters, &self.token_parameters, &self.refresh_parameters];
        let is_long = |text: &String| text.len() > MAX_TEXT;
        if maps.iter().any(|map| map.len() > MAX_ENTRIES || map.iter().any(|(name, value)| is_long(name) || is_long(value))) {
            return fault("authorizeParameters", "parameters are at most 50, of at most 500 characters each");
        }
        let lists = [&self.keep, &self.account, &self.dead];
        if lists.iter().any(|list| list.len() > MAX_ENTRIES || list.iter().any(is_long)) {
            return fault("keep", "lists have at most 50 entries of at most 500 characters each");
        }
        if self.scheme.as_ref().is_some_and(|scheme| {
            scheme.is_empty() || scheme.len() > 40 || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }) {
            return fault("scheme", "must be a word such as Bearer");
        }
        if self.scope_separator.as_ref().is_some_and(|text| text.is_empty() || text.len() > 3) {
            return fault("scopeSeparator", "must have 1 to 3 characters");
        }
        if self.assumed_life_seconds == Some(0) || self.idle_days == Some(0) {
            return fault("assumedLifeSeconds", "must be more than 0, as idleDays");
        }
        Ok(())
    }

    /// As the list would have it.
    pub(crate) fn provider(&self) -> Provider {
        let given = self.clone();
        let of_account = Account { members: given.account.clone(), last_segments: 0 };
        let identity = given.identity_path.map(|path| Identity { url: None, path: Some(path), members: given.account });
        let usual = Provider::default();
        Provider {
            id: super::CUSTOM.to_owned(),
            name: "custom".to_owned(),
            authorize_url: given.authorize_url,
            token_url: given.token_url,
            revoke: given.revoke_url.map(|url| Revoke { url, form: RevokeForm::Body, hint: true, with_client: true }),
            issuer: given.issuer,
            client_authentication: given.client_authentication,
            pkce: given.pkce.unwrap_or(true),
            scope_separator: given.scope_separator.unwrap_or(usual.scope_separator),
            authorize_parameters: given.authorize_parameters,
            token_parameters: given.token_parameters,
            refresh_parameters: given.refresh_parameters,
            token_at: given.token_at,
            keep: given.keep,
            scheme: given.scheme.unwrap_or(usual.scheme),
            api_base: ApiBase { url: given.api_base_url, member: given.api_base_member, hosts: Vec::new() },
            account: Some(of_account).filter(|account| !account.members.is_empty() && identity.is_none()),
            identity,
            assumed_life_seconds: given.assumed_life_seconds,
            idle_days: given.idle_days,
            dead: if given.dead.is_empty() { usual.dead } else { given.dead },
            ..Provider::default()
        }
    }
}
