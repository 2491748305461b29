//! What a webhook is made and changed with.

use std::collections::BTreeMap;

use dispatch::http::Content;
use dispatch::http::{ClientAuthentication, SignatureForm};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use web::Patch;

/// A webhook, as POST makes it and PUT replaces it. What is absent has its default; PUT keeps the secret and the state.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookInput {
    /// Where deliveries are sent: `https://…`, leading to a public address. This or `destination`.
    #[serde(default)]
    pub url: Option<String>,
    /// In place of `url`: a broker, queue or bucket. Its `type` is `nats`, `rabbitmq`, `redis-stream`, `sqs` or `s3`; the other fields depend
    /// on it. Credentials are shown masked; a mask that comes back means: as it was.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub destination: Option<Value>,
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
    /// A JavaScript function that shapes each request: `function handler(webhook) { …; return webhook }`. At most 64 KB.
    #[serde(default)]
    pub transform: Option<String>,
    /// What the body has: `full` (default), or `thin`: id, type, time, and where the event can be read.
    #[serde(default)]
    pub content: Option<Content>,
    /// Only events of one of these channels, or of none. At most 10 of 1 to 64 characters.
    #[serde(default)]
    pub channels: Option<Vec<String>>,
    /// How we authenticate at the receiver, beside the signature.
    #[serde(default)]
    pub auth: Option<AuthInput>,
    /// Which signatures a delivery carries: `v1` (HMAC with the webhook's secret; default), `v1a` (Ed25519 with the tenant's key, whose
    /// public part is at `/.well-known/webhook-keys`) or `both`.
    #[serde(default)]
    pub signature: Option<SignatureForm>,
    /// Certificate authorities in PEM that are trusted beside the public ones, for a receiver with an authority of its own.
    #[serde(default)]
    pub ca_certificate: Option<String>,
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
    /// One after another, in order: those with the same ordering key. Default: false, or true beside `orderingKeyPath`.
    #[serde(default)]
    pub ordered: Option<bool>,
    /// Where in an event the ordering key is (`data.customerId`), in place of the `orderingKey` that it was published with. Events without a text,
    /// number or truth value there count as one key.
    #[serde(default)]
    pub ordering_key_path: Option<String>,
    /// Seconds after which an event is not worth delivering any more: 10 to 2592000 (30 days). Counted from when it was first due. What waits longer, because
    /// the receiver fails or the webhook is paused, ends as `skipped`, reason `expired`.
    #[serde(default)]
    pub expires_after_seconds: Option<u32>,
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
    /// See [`WebhookInput::destination`]; as a whole, of the same type.
    #[schema(value_type = Option<Object>)]
    pub destination: Option<Value>,
    /// See [`WebhookInput::events`].
    pub events: Option<Vec<String>>,
    /// A name for people.
    pub name: Patch<String>,
    /// What it is for.
    pub description: Patch<String>,
    /// Which of these events.
    #[schema(value_type = Option<Object>)]
    pub filter: Patch<Value>,
    /// A JavaScript function that shapes each request.
    pub transform: Patch<String>,
    /// What the body has: `full` or `thin`.
    #[schema(value_type = Option<Content>)]
    pub content: Patch<Content>,
    /// Only events of these channels.
    pub channels: Patch<Vec<String>>,
    /// How we authenticate at the receiver.
    pub auth: Patch<AuthInput>,
    /// See [`WebhookInput::signature`].
    #[schema(value_type = Option<SignatureForm>)]
    pub signature: Patch<SignatureForm>,
    /// See [`WebhookInput::ca_certificate`].
    pub ca_certificate: Patch<String>,
    /// `POST`, `PUT` or `PATCH`.
    pub http_method: Patch<String>,
    /// Headers that are sent along.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub custom_headers: Patch<BTreeMap<String, String>>,
    /// When to try again.
    pub retry_config: Patch<RetryConfig>,
    /// Most attempts in a second.
    pub rate_limit_per_second: Patch<u32>,
    /// One after another, in order; `false` also takes `orderingKeyPath` away.
    pub ordered: Option<bool>,
    /// See [`WebhookInput::ordering_key_path`].
    pub ordering_key_path: Patch<String>,
    /// See [`WebhookInput::expires_after_seconds`].
    pub expires_after_seconds: Patch<u32>,
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
    /// `Authorization: Bearer …` with an access token that we fetch (OAuth 2 client credentials) and renew.
    Oauth2 {
        /// Where tokens are had: `https://…`, under the same rules as the webhook's own address.
        token_url: String,
        /// Our id there.
        client_id: String,
        /// Our secret there.
        client_secret: String,
        /// What is asked for.
        #[serde(default)]
        scopes: Vec<String>,
        /// Whom the token is for, where the server wants to know.
        #[serde(default)]
        audience: Option<String>,
        /// How we present ourselves to the token endpoint: `header` (default) or `body`.
        #[serde(default)]
        client_authentication: ClientAuthentication,
    },
    /// A certificate of ours in the TLS handshake (mutual TLS).
    Mtls {
        /// The certificate chain in PEM, the leaf first.
        certificate: String,
        /// Its private key in PEM, without a passphrase.
        private_key: String,
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
