//! An integration as a reader sees it: no secret in it.

use kernel::{IntegrationId, OauthTokenId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Row, Status};

/// An integration.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// The connector's slug: `salesforce`.
    pub connector: String,
    /// A name for people.
    pub name: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// Notes for people.
    pub notes: Option<String>,
    /// A label: `production`, `staging`, `development`.
    pub environment: String,
    /// The configuration.
    #[schema(value_type = Object)]
    pub config: Map<String, Value>,
    /// The names of the credentials that it holds; never the credentials.
    pub credential_names: Vec<String>,
    /// The token in the vault that it uses.
    pub oauth_token_id: Option<OauthTokenId>,
    /// The account at the vendor, once it is known.
    pub account: Option<String>,
    /// How it is.
    pub status: Status,
    /// Why it is so, where it is not connected.
    pub status_reason: Option<String>,
    /// Since when.
    pub status_at: Timestamp,
    /// The address that the vendor is given for its webhooks.
    pub webhook_url: String,
    /// When a sync of it last ended well.
    pub last_sync_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Integration {
    pub(crate) fn of(row: Row, webhook_url: String) -> Self {
        Self {
            id: row.id,
            connector: row.connector,
            name: row.name,
            enabled: row.enabled,
            notes: row.notes,
            environment: row.environment,
            config: row.config,
            credential_names: row.credential_names,
            oauth_token_id: row.token,
            account: row.account,
            status: row.status,
            status_reason: row.status_reason,
            status_at: row.status_at,
            webhook_url,
            last_sync_at: row.last_sync_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
