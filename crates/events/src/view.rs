//! An event as a reader sees it.

use kernel::{ClientId, DestinationId, Error, EventId, EventType, FieldError, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Row;

use crate::{Pair, sql};

/// A stored event.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// Its id; also the `webhook-id` of its deliveries.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub event_type: EventType,
    /// When it happened: the `timestamp` of deliveries.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Only this client's webhooks get it.
    pub client_id: Option<ClientId>,
    /// Only webhooks that listen to one of these, or to none in particular, get it; empty: everyone.
    pub channels: Vec<String>,
    /// Deliveries with the same key keep their order at ordered webhooks.
    pub ordering_key: Option<String>,
    /// Not to be delivered before.
    pub deliver_at: Option<Timestamp>,
    /// The payload, as it was published; null once it has been erased.
    #[schema(value_type = Option<Object>)]
    pub data: Box<RawValue>,
    /// To how many webhooks it went when it was accepted.
    pub deliveries: u32,
    /// Webhooks that listen to it but whose filter turned it away.
    pub filtered: Vec<DestinationId>,
    /// What became of it, webhook by webhook, the first 100; in the answer to a question about this event only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pairs: Option<Vec<Pair>>,
    /// Which version of the type's schema the publisher chose.
    pub schema_version: Option<u32>,
    /// In what ways the payload breaks the schema of its type; only a type that takes such events has any.
    pub warnings: Vec<FieldError>,
}

/// Reads [`sql::view_columns`].
pub(crate) fn read(row: &Row<'_>) -> Result<EventView> {
    let event = sql::read_event(row)?;
    // Retention or a wish to be forgotten may have erased it.
    let text = if event.data.is_empty() { "null".to_owned() } else { String::from_utf8(event.data.into()).map_err(Error::internal)? };
    Ok(EventView {
        id: event.id,
        event_type: event.event_type,
        occurred_at: event.occurred_at,
        created_at: event.created_at,
        client_id: event.client,
        channels: event.channels,
        ordering_key: event.ordering_key,
        deliver_at: event.deliver_at,
        data: RawValue::from_string(text).map_err(Error::internal)?,
        deliveries: row.get(11)?,
        filtered: sql::read_filtered(row, 12)?,
        pairs: None,
        schema_version: event.schema_version,
        warnings: sql::read_faults(row, 13)?,
    })
}
