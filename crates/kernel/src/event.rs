//! The event, as every crate sees it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::{ClientId, EventId, TenantId};
use crate::time::Timestamp;

/// A type of event: dot-separated words of `[a-zA-Z0-9_-]`, at most 128 characters, such as `lead.created`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Arc<str>);

impl EventType {
    /// Longest type in characters.
    pub const MAX_LEN: usize = 128;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventType {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if text.len() > Self::MAX_LEN || !text.split('.').all(word) {
            return Err(Error::invalid(
                "invalid_event_type",
                "An event type is words of A-Z a-z 0-9 _ - joined by dots, such as lead.created.",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A fact that happened, accepted and not to be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id, unique in the tenant; also the `webhook-id` of every attempt.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When it happened (`occurredAt`, or when we accepted it): the `timestamp` of the body.
    pub occurred_at: Timestamp,
    /// When we accepted it.
    pub created_at: Timestamp,
    /// The payload: UTF-8 JSON, byte for byte as it was published.
    pub data: Bytes,
    /// Only this client's webhooks get it, if set.
    pub client: Option<ClientId>,
    /// Only webhooks that listen to one of these channels, or to none in particular, get it; empty: everyone.
    pub channels: Vec<String>,
    /// Deliveries with the same key keep their order at ordered webhooks.
    pub ordering_key: Option<String>,
    /// Not to be delivered before.
    pub deliver_at: Option<Timestamp>,
    /// Which version of the type's schema the publisher chose; none: it named none, and the body says nothing of it.
    pub schema_version: Option<u32>,
}
