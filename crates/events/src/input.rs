//! What is published, and the checks on it.

use std::time::Duration;

use bytes::Bytes;
use kernel::{ClientId, Error, Event, EventId, EventType, Result, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Events;
use crate::accept::Item;
use crate::catalogue::Question;
use crate::features::Features;

/// Most channels of an event.
pub const MAX_CHANNELS: usize = 10;
/// Longest channel, in characters.
pub const MAX_CHANNEL: usize = 64;
/// Longest ordering key, in characters.
pub const MAX_ORDERING_KEY: usize = 256;
/// Largest `data` in bytes: 1 MiB.
pub const MAX_DATA: usize = 1024 * 1024;
/// Furthest `deliverAt`.
const MAX_DELAY: Duration = Duration::from_hours(24 * 366);

/// An event as it is published. `data` is kept byte for byte.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publish {
    /// What happened: a type that the blueprint declares.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "lead.created")]
    pub event_type: EventType,
    /// The payload; it must satisfy the type's schema.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
    /// The event's id, unique per tenant; by default one is made. The same id again gives the same answer and nothing new.
    #[serde(default)]
    pub id: Option<EventId>,
    /// The tenant, for a service key that is bound to none.
    #[serde(default)]
    pub tenant_id: Option<TenantId>,
    /// Only this client's webhooks get it.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// Only webhooks that listen to one of these channels, or to none in particular, get it. At most 10 of 1 to 64 characters.
    #[serde(default)]
    pub channels: Vec<String>,
    /// When it happened; by default now.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
    /// Not to be delivered before; at most a year ahead.
    #[serde(default)]
    pub deliver_at: Option<Timestamp>,
    /// Deliveries with the same key keep their order at ordered webhooks. 1 to 256 characters.
    #[serde(default)]
    pub ordering_key: Option<String>,
    /// Which version of the type's schema `data` has; by default the type's default version. A version that is named here is named in
    /// deliveries too.
    #[serde(default)]
    pub schema_version: Option<u32>,
}

/// Words that stand in the place of an id in a path.
const RESERVED: [&str; 4] = ["batch", "poll", "quarantine", "stream"];

impl Events {
    /// The event that `input` describes, on its way in. `at` is the JSON pointer of the input in the request: empty, or `/events/3`.
    pub(crate) fn checked(&self, tenant: TenantId, input: Publish, features: &Features, at: &str) -> Result<Item> {
        if let Some(id) = input.id.as_ref().filter(|id| RESERVED.contains(&id.as_str())) {
            return Err(Error::invalid("validation_failed", format!("{id} is the name of a list, not of an event. Choose another id."))
                .at(format!("{at}/id"), "is a reserved word"));
        }
        let now = self.ambient.now();
        bounds(&input, now, at)?;
        let question = Question { event_type: &input.event_type, version: input.schema_version, data: &input.data, at };
        let verdict = self.catalogue.check(question, features)?;
        let event = Event {
            tenant,
            id: input.id.unwrap_or_else(|| self.ambient.event_id()),
            event_type: input.event_type,
            occurred_at: input.occurred_at.unwrap_or(now),
            created_at: now,
            data: Bytes::from(String::from(Box::<str>::from(input.data))),
            client: input.client_id,
            channels: input.channels,
            ordering_key: input.ordering_key,
            deliver_at: input.deliver_at,
            schema_version: input.schema_version,
        };
        Ok(Item::new(event, &self.ambient).judged(verdict, at))
    }
}

fn bounds(input: &Publish, now: Timestamp, at: &str) -> Result<()> {
    if input.data.get().len() > MAX_DATA {
        return Err(Error::field(format!("{at}/data"), format!("must have at most {MAX_DATA} bytes")));
    }
    if input.channels.len() > MAX_CHANNELS {
        return Err(Error::field(format!("{at}/channels"), format!("must have at most {MAX_CHANNELS} items")));
    }
    for (n, channel) in input.channels.iter().enumerate() {
        kernel::text::line(&format!("{at}/channels/{n}"), channel, 1, MAX_CHANNEL)?;
    }
    if let Some(key) = &input.ordering_key {
        kernel::text::line(&format!("{at}/orderingKey"), key, 1, MAX_ORDERING_KEY)?;
    }
    if input.deliver_at.is_some_and(|deliver_at| deliver_at > now.plus(MAX_DELAY)) {
        return Err(Error::field(format!("{at}/deliverAt"), "must be at most a year ahead"));
    }
    Ok(())
}
