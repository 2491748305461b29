//! How one vendor differs from RFC 6749, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the app proves itself at the token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProviderAuthentication)]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Body,
    /// `Authorization: Basic`.
    Basic,
}

/// A vendor. The members are those of `list.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Provider {
    /// The slug.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// Where a person agrees. `{host}` is the login host, `{directory}` Microsoft's tenant. Empty: it has to be described.
    pub(crate) authorize_url: String,
    /// Where codes and refresh tokens become access tokens.
    pub(crate) token_url: String,
    /// Where a grant is ended; `None`: the vendor has no such place.
    pub(crate) revoke: Option<Revoke>,
    /// What `{host}` may be.
    pub(crate) login_hosts: Option<LoginHosts>,
    /// What `{directory}` is when nobody says otherwise.
    pub(crate) directory: Option<String>,
    /// The member of the callback's query that says which login host the code is good at.
    pub(crate) callback_host: Option<String>,
    /// What `iss` in the callback has to be, if it is there (RFC 9207).
    pub(crate) issuer: Option<String>,
    pub(crate) client_authentication: ClientAuthentication,
    /// Bodies of the token endpoint are JSON, not forms.
    pub(crate) json: bool,
    /// Whether the code is bound to a verifier (RFC 7636, S256 always).
    pub(crate) pkce: bool,
    /// What is asked for when nobody says otherwise.
    pub(crate) scopes: Vec<String>,
    pub(crate) scope_separator: String,
    /// The parameter of the authorization request that has the scopes; one that ends in `[]` is repeated.
    pub(crate) scope_parameter: String,
    /// Scopes that the vendor grants without saying so.
    pub(crate) silent_scopes: Vec<String>,
    pub(crate) authorize_parameters: BTreeMap<String, String>,
    pub(crate) token_parameters: BTreeMap<String, String>,
    pub(crate) refresh_parameters: BTreeMap<String, String>,
    /// Below which member tokens stand when they are not at the root.
    pub(crate) token_at: Option<String>,
    /// Members of token answers that are kept, with dots between steps.
    pub(crate) keep: Vec<String>,
    /// The same for what nobody is to see.
    pub(crate) keep_secret: Vec<String>,
    /// Members of the callback's query that are kept.
    pub(crate) keep_from_callback: Vec<String>,
    /// What stands before the token in `Authorization`.
    pub(crate) scheme: String,
    pub(crate) api_base: ApiBase,
    /// Who the account is, in the token answer.
    pub(crate) account: Option<Account>,
    /// Whom to ask who the account is, where the token answer does not say.
    pub(crate) identity: Option<Identity>,
    /// How long an access token is taken to live where the answer does not say; `None`: until it is refused.
    pub(crate) assumed_life_seconds: Option<u64>,
    /// A refresh token that nobody used for so long is dead.
    pub(crate) idle_days: Option<u64>,
    /// Errors that mean that the grant is over: a code, or `code: part of the description` in lower case.
    pub(crate) dead: Vec<String>,
    /// Parts of descriptions, in lower case, that say that it is not over in spite of the code.
    pub(crate) passing: Vec<String>,
    /// Errors that mean: not so fast.
    pub(crate) slow: Vec<String>,
    pub(crate) budget: Option<Budget>,
    /// An account has few places for refresh tokens: one that was replaced is ended at the vendor.
    pub(crate) revokes_replaced: bool,
}

/// Where a grant is ended, and how (RFC 7009 and what vendors made of it).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    pub(crate) url: String,
    pub(crate) form: RevokeForm,
    /// `token_type_hint` is sent.
    #[serde(default)]
    pub(crate) hint: bool,
    /// The app proves itself.
    #[serde(default)]
    pub(crate) with_client: bool,
}

/// Where the token stands in a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RevokeForm {
    /// `token` in the body.
    Body,
    /// `token` in the query.
    Query,
    /// The access token in `Authorization`.
    Bearer,
}

/// Which hosts a person may sign in at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginHosts {
    pub(crate) default: String,
    /// Names, and patterns such as `*.my.salesforce.com`.
    pub(crate) accepts: Vec<String>,
    /// Hosts that look right and are not.
    #[serde(default)]
    pub(crate) refuses: Vec<String>,
}

/// Where the account's API is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApiBase {
    /// The same for everybody.
    pub(crate) url: Option<String>,
    /// A member of the token answer.
    pub(crate) member: Option<String>,
    /// At which hosts that member may point; empty: any.
    pub(crate) hosts: Vec<String>,
}

/// Who the account is: JSON pointers, whose values are joined by `:`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) members: Vec<String>,
    /// Of a value that is an address, the last so many segments; 0: the whole.
    pub(crate) last_segments: usize,
}

/// A GET with the new token that says who the account is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Identity {
    /// In full.
    pub(crate) url: Option<String>,
    /// Or under the account's API.
    pub(crate) path: Option<String>,
    /// JSON pointers.
    pub(crate) members: Vec<String>,
}

/// So many access tokens in so many seconds from one refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    pub(crate) most: usize,
    pub(crate) seconds: u64,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            authorize_url: String::new(),
            token_url: String::new(),
            revoke: None,
            login_hosts: None,
            directory: None,
            callback_host: None,
            issuer: None,
            client_authentication: ClientAuthentication::Body,
            json: false,
            pkce: true,
            scopes: Vec::new(),
            scope_separator: " ".to_owned(),
            scope_parameter: "scope".to_owned(),
            silent_scopes: Vec::new(),
            authorize_parameters: BTreeMap::new(),
            token_parameters: BTreeMap::new(),
            refresh_parameters: BTreeMap::new(),
            token_at: None,
            keep: Vec::new(),
            keep_secret: Vec::new(),
            keep_from_callback: Vec::new(),
            scheme: "Bearer".to_owned(),
            api_base: ApiBase::default(),
            account: None,
            identity: None,
            assumed_life_seconds: None,
            idle_days: None,
            dead: vec!["invalid_grant".to_owned()],
            passing: Vec::new(),
            slow: Vec::new(),
            budget: None,
            revokes_replaced: false,
        }
    }
}
