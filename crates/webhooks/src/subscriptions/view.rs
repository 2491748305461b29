//! A webhook as a reader sees it: no secret in it, but for the one answer that makes it.

use std::collections::BTreeMap;

use dispatch::http::Content;
use dispatch::http::SignatureForm;
use dispatch::{Destination, State};
use kernel::{ClientId, DestinationId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::destination;
use super::settings::Settings;
use super::{RetryConfig, Row};

/// A webhook.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: DestinationId,
    /// Whose.
    pub client_id: ClientId,
    /// A name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where deliveries are sent; absent beside `destination`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// The broker, queue or bucket that they go to in place of a URL, credentials masked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub destination: Option<Value>,
    /// What it listens to.
    pub events: Vec<String>,
    /// Only events of one of these channels, or of none; empty: all.
    pub channels: Vec<String>,
    /// Which of these events.
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
    /// The function that shapes each request.
    pub transform: Option<String>,
    /// What the body has.
    pub content: Content,
    /// How we authenticate at the receiver, without its secrets.
    #[schema(value_type = Object)]
    pub auth: Value,
    /// Which signatures a delivery carries.
    pub signature: SignatureForm,
    /// Certificate authorities that are trusted beside the public ones.
    pub ca_certificate: Option<String>,
    /// The method.
    pub http_method: String,
    /// Headers that are sent along; secret ones masked.
    pub custom_headers: BTreeMap<String, String>,
    /// When to try again; null: as the product says.
    pub retry_config: Option<RetryConfig>,
    /// Most attempts in a second.
    pub rate_limit_per_second: Option<u32>,
    /// One after another, in order.
    pub ordered: bool,
    /// Where in an event the key is that the order goes by; null: the event's own `orderingKey`.
    #[serde(default)]
    pub ordering_key_path: Option<String>,
    /// Seconds after which an event is not worth delivering any more; null: always.
    #[serde(default)]
    pub expires_after_seconds: Option<u32>,
    /// Whether it gets deliveries, now or (paused) later.
    pub enabled: bool,
    /// `enabled`, `paused` or `disabled`.
    pub status: State,
    /// Why it is in this state: `requested`, or `gone` after a receiver's 410.
    pub status_reason: Option<String>,
    /// Since when nothing has arrived, if that is so.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The signing secret (`whsec_…`), in the answer to POST only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

impl Webhook {
    pub(crate) fn of(row: &Row, destination: &Destination) -> Result<Self> {
        let settings = Settings::of_stored(row, destination)?;
        Ok(Self {
            id: row.id,
            client_id: row.client,
            name: settings.name,
            description: settings.description,
            url: (!settings.target.url.is_empty()).then(|| settings.target.url.clone()),
            destination: settings.target.destination.as_ref().map(destination::shown),
            events: settings.events,
            channels: settings.channels,
            filter: settings.filter,
            transform: settings.target.transform.clone(),
            content: settings.target.content,
            auth: settings.target.shown_auth(),
            signature: settings.target.signature,
            ca_certificate: settings.target.ca_certificate.clone(),
            http_method: settings.target.method.clone(),
            custom_headers: settings.target.shown_headers(),
            retry_config: settings.retry_config,
            rate_limit_per_second: settings.rate_per_second,
            ordered: settings.ordered,
            ordering_key_path: settings.ordering_path,
            expires_after_seconds: settings.expires_after_seconds,
            enabled: destination.state != State::Disabled,
            status: destination.state,
            status_reason: destination.state_reason.clone(),
            failing_since: destination.failing_since,
            created_at: row.created_at,
            updated_at: row.updated_at.max(destination.updated_at),
            secret: None,
        })
    }
}
