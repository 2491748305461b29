//! A token as a reader sees it: what it is good for and how it is, never what it is.

use kernel::{OauthTokenId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Revocation, Row, Status};
use crate::providers;

/// A grant that we hold at a vendor, without its tokens: these leave the server only towards the vendor.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthToken {
    /// Its id.
    pub id: OauthTokenId,
    /// The vendor: `salesforce`.
    pub provider: String,
    /// Whose it is, by the host's own name for the person; null: the tenant's.
    pub user_id: Option<String>,
    /// How it is.
    pub status: Status,
    /// Why, in the vendor's words, where it is not active.
    pub reason: Option<String>,
    /// The account at the vendor, where it is known.
    pub account: Option<String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// The scopes that were asked for.
    pub requested_scopes: Vec<String>,
    /// Those that were asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// What the vendor said beside the token, without what is secret.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Where the account's API is.
    pub api_base_url: Option<String>,
    /// In place of the vendor's own addresses.
    pub base_url: Option<String>,
    /// Where people sign in, where the vendor has several places.
    pub login_host: Option<String>,
    /// The app at the vendor.
    pub client_id: Option<String>,
    /// Whether the app is the tenant's own; else it is the operator's.
    pub own_app: bool,
    /// Whether it can be renewed without a person: there is a refresh token.
    pub renewable: bool,
    /// When the present access token ends, as far as is known. It is renewed before.
    pub expires_at: Option<Timestamp>,
    /// When the vendor last gave an access token.
    pub refreshed_at: Timestamp,
    /// When it was last used; written every few seconds.
    pub last_used_at: Option<Timestamp>,
    /// For one that was disconnected: how far the vendor is.
    pub revocation: Option<Revocation>,
    /// When it was connected first.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What was asked for and not granted. Scopes that the vendor never mentions are not missing.
pub(crate) fn missing(row: &Row) -> Vec<String> {
    let silent = providers::find(&row.provider).map(|provider| provider.silent_scopes.as_slice()).unwrap_or_default();
    if row.scopes.is_empty() {
        return Vec::new();
    }
    row.asked.iter().filter(|asked| !row.scopes.contains(asked) && !silent.contains(asked)).cloned().collect()
}

impl From<Row> for OauthToken {
    fn from(row: Row) -> Self {
        Self {
            missing_scopes: missing(&row),
            id: row.id,
            provider: row.provider,
            user_id: row.user_id,
            status: row.status,
            reason: row.reason,
            account: row.account,
            scopes: row.scopes,
            requested_scopes: row.asked,
            metadata: row.metadata,
            api_base_url: row.base_url,
            base_url: row.settings.base_url,
            login_host: row.settings.login_host,
            client_id: row.client_id,
            own_app: row.own_app,
            renewable: row.is_renewable,
            expires_at: row.expires_at,
            refreshed_at: row.refreshed_at,
            last_used_at: row.last_used_at,
            revocation: row.revocation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
