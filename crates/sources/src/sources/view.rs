//! A source as a reader sees it: no secret in it, but for the one answer that makes it.

use kernel::{SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ResponseForm, Row, Secrets, SourceSettings};
use crate::providers::Provider;

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Who calls, or which scheme.
    pub provider: Provider,
    /// A name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The address to give to the vendor.
    pub url: String,
    /// Whether it takes calls.
    pub enabled: bool,
    /// Which calls become events; empty: all.
    pub events: Vec<String>,
    /// Which of these.
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
    /// How it verifies and reads.
    pub settings: SourceSettings,
    /// How good calls are answered; null: as the provider likes it.
    pub response: Option<ResponseForm>,
    /// Whether it has a secret; without one every call is refused.
    pub has_secret: bool,
    /// Until when the secret before the present one is valid too.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The secret, in the answer to POST and only if we made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

impl Source {
    pub(crate) fn of(row: Row, secrets: &Secrets, url: String, now: Timestamp) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            name: row.name,
            description: row.description,
            url,
            enabled: row.enabled,
            events: row.events,
            filter: row.filter,
            settings: row.settings,
            response: row.response,
            has_secret: secrets.any(now),
            previous_secret_valid_until: secrets.previous_until(now),
            created_at: row.created_at,
            updated_at: row.updated_at,
            secret: None,
        }
    }
}
