//! What a webhook is made and changed with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use web::Patch;

/// A webhook, as POST makes it and PUT replaces it. What is absent has its default; PUT keeps the secret and the state.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookInput {
    /// Where deliveries are sent: `https://…`, leading to a public address.
    pub url: String,
    /// What it listens to: types (`lead.created`), words with `.*` (`lead.*`), or `*`. At least one.
    pub events: Vec<String>,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Which of these events: `{"data.status": "WON", "data.amount": {"$gte": 100}}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
    /// Not yet served.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub transform: Option<Value>,
    /// Only events of one of these channels, or of none. At most 10 of 1 to 64 characters.
    #[serde(default)]
    pub channels: Option<Vec<String>>,
    /// How we authenticate at the receiver, beside the signature.
    #[serde(default)]
    pub auth: Option<AuthInput>,
    /// `POST` (default), `PUT` or `PATCH`.
    #[serde(default)]
    pub http_method: Option<String>,
    /// Headers that are sent along. Values of those that look like secrets are shown masked.
    #[serde(default)]
    pub custom_headers: Option<BTreeMap<String, String>>,
    /// When to try again; by default as the product says.
    #[serde(default)]
    pub retry_config: Option<RetryConfig>,
    /// Most attempts in a second: 1 to 10000.
    #[serde(default)]
    pub rate_limit_per_second: Option<u32>,
    /// One after another, in order.
    #[serde(default)]
    pub ordered: Option<bool>,
    /// Whether it gets deliveries. POST: default true. PUT: by default as it was.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A change: what is absent stays, `null` empties.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookPatch {
    /// See [`WebhookInput::url`].
    pub url: Option<String>,
    /// See [`WebhookInput::events`].
    pub events: Option<Vec<String>>,
    /// A name for people.
    pub name: Patch<String>,
    /// What it is for.
    pub description: Patch<String>,
    /// Which of these events.
    #[schema(value_type = Option<Object>)]
    pub filter: Patch<Value>,
    /// Not yet served.
    #[schema(value_type = Option<Object>)]
    pub transform: Patch<Value>,
    /// Only events of these channels.
    pub channels: Patch<Vec<String>>,
    /// How we authenticate at the receiver.
    pub auth: Patch<AuthInput>,
    /// `POST`, `PUT` or `PATCH`.
    pub http_method: Patch<String>,
    /// Headers that are sent along.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub custom_headers: Patch<BTreeMap<String, String>>,
    /// When to try again.
    pub retry_config: Patch<RetryConfig>,
    /// Most attempts in a second.
    pub rate_limit_per_second: Patch<u32>,
    /// One after another, in order.
    pub ordered: Option<bool>,
    /// Whether it gets deliveries.
    pub enabled: Option<bool>,
}

/// How we authenticate at the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AuthInput {
    /// By the signature only.
    None,
    /// `Authorization: Basic …`
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// `Authorization: Bearer …`
    Bearer {
        /// The token.
        token: String,
    },
    /// A header with the hexadecimal HMAC-SHA256 of the body.
    Hmac {
        /// The key.
        secret: String,
        /// The header.
        header: String,
    },
    /// Not yet served.
    Oauth2 {
        /// Where tokens are had.
        token_url: String,
        /// Our id there.
        client_id: String,
        /// Our secret there.
        client_secret: String,
        /// What is asked for.
        #[serde(default)]
        scopes: Vec<String>,
    },
}

/// When to try again: the first retry after `retryDelay` seconds, each further wait `backoffMultiplier` times the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Retries after the first attempt: 0 to 20.
    pub max_retries: u32,
    /// Seconds before the first retry: 1 to 86400.
    pub retry_delay: u32,
    /// 1 to 10.
    #[schema(value_type = f64)]
    pub backoff_multiplier: Number,
    /// Seconds that an attempt may take: 1 to 60.
    pub timeout: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { max_retries: 3, retry_delay: 60, backoff_multiplier: Number::from(2), timeout: 30 }
    }
}
