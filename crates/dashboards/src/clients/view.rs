//! What is shown.

use dispatch::State;
use kernel::{ClientId, DestinationId, KeyId, Timestamp};
use serde::{Deserialize, Serialize};
use usage::reports::UsageReport;

/// How a client stands.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// The client.
    pub client_id: ClientId,
    /// How its calls went.
    pub usage: UsageReport,
    /// Its webhooks, at most 100; null if the caller may not see webhooks.
    pub webhooks: Option<Vec<WebhookStanding>>,
    /// Attempts of its webhooks that arrived, of all in the period, 0 to 1; null without attempts.
    pub webhook_success_rate: Option<f64>,
    /// How the limits of its keys stand, those used last first, at most 50; null if the caller may not see keys.
    pub rate_limits: Option<Vec<KeyLimits>>,
}

/// A webhook and how it fared.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStanding {
    /// Its id.
    pub webhook_id: DestinationId,
    /// Its name.
    pub name: Option<String>,
    /// `enabled`, `paused` or `disabled`.
    pub status: State,
    /// Since when nothing has arrived, if that is so.
    pub failing_since: Option<Timestamp>,
    /// Attempts in the period.
    pub attempts: u64,
    /// Those that arrived.
    pub succeeded: u64,
    /// When one last arrived, in the period.
    pub last_success_at: Option<Timestamp>,
    /// When one last failed, in the period.
    pub last_failure_at: Option<Timestamp>,
}

/// The limits of a key.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyLimits {
    /// The key.
    pub api_key_id: KeyId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub rate_limit_tier: Option<String>,
    /// Every limit that binds it; empty: none does.
    pub limits: Vec<LimitState>,
}

/// How a limit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientLimitState)]
pub struct LimitState {
    /// `minute`, `hour`, `day`, `burst`, `month`, …
    pub policy: String,
    /// The most.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When it is whole again.
    pub resets_at: Timestamp,
}
