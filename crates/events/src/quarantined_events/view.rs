//! A publication that is kept apart, as a reader sees it.

use bytes::Bytes;
use kernel::{ClientId, Event, EventId, EventType, FieldError, TenantId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

/// A publication that is kept apart.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedEventView {
    /// The id that the event will have.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub event_type: EventType,
    /// Which version of the type's schema the publisher chose.
    pub schema_version: Option<u32>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Since when it waits.
    pub held_at: Timestamp,
    /// Only this client's webhooks will get it.
    pub client_id: Option<ClientId>,
    /// Only webhooks that listen to one of these, or to none in particular, will get it; empty: everyone.
    pub channels: Vec<String>,
    /// Deliveries with the same key keep their order at ordered webhooks.
    pub ordering_key: Option<String>,
    /// Not to be delivered before.
    pub deliver_at: Option<Timestamp>,
    /// In what ways the payload broke the schema when it came, at most 20.
    pub problems: Vec<FieldError>,
    /// The payload, as it was published.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

impl QuarantinedEventView {
    /// The event that it would be, accepted at `created_at`.
    pub(super) fn into_event(self, tenant: TenantId, created_at: Timestamp) -> Event {
        Event {
            tenant,
            id: self.id,
            event_type: self.event_type,
            occurred_at: self.occurred_at,
            created_at,
            data: Bytes::from(String::from(Box::<str>::from(self.data))),
            client: self.client_id,
            channels: self.channels,
            ordering_key: self.ordering_key,
            deliver_at: self.deliver_at,
            schema_version: self.schema_version,
        }
    }
}
