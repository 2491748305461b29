//! A connection as a reader sees it.

use kernel::{Error, OauthConnectionId, OauthTokenId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Row;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OauthConnectionStatus)]
pub enum ConnectionStatus {
    /// The person has not come back from the vendor yet.
    Pending,
    /// The person is back, and the vendor is asked for tokens.
    Exchanging,
    /// There is a token.
    Connected,
    /// It did not work: `error` says why.
    Failed,
}

impl ConnectionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Exchanging => "exchanging",
            Self::Connected => "connected",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let all = [Self::Pending, Self::Exchanging, Self::Connected, Self::Failed];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| Error::internal("a connection of an unknown status"))
    }
}

/// A connection to a vendor that somebody began.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthConnection {
    /// Its id.
    pub id: OauthConnectionId,
    /// The vendor.
    pub provider: String,
    /// For whom, by the host's own name for the person.
    pub user_id: Option<String>,
    /// How far it is.
    pub status: ConnectionStatus,
    /// Where to send the person; in the answer that makes it only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub authorize_url: Option<String>,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// What came of it, or whose grant is replaced.
    pub oauth_token_id: Option<OauthTokenId>,
    /// Why it failed.
    pub error: Option<String>,
    /// Where the person is sent afterwards.
    pub return_to: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Until when the person may come back.
    pub expires_at: Timestamp,
}

impl From<Row> for OauthConnection {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            user_id: row.user_id,
            status: row.status,
            authorize_url: None,
            scopes: row.asked,
            oauth_token_id: row.token,
            error: row.error,
            return_to: row.return_to,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}
