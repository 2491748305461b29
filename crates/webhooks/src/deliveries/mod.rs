//! Deliveries, as the owners of webhooks see them: `dispatch`'s, with the payload beside.

mod attempts;
mod cancel;
mod get;
mod list;
mod retry;
mod undelivered;

use std::collections::HashMap;
use std::sync::Arc;

use dispatch::deliveries::{Attempt, Delivery, DeliveryFilter, Status};
use kernel::{ClientId, DestinationId, Error, Event, EventId, Permission, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Tx;
use web::{Access, Api, Endpoint};

use crate::Webhooks;

pub use cancel::Cancelled;
pub use undelivered::{NeverAttempted, Undelivered};

/// Largest payload that stands in a list; a delivery asked for alone has it whole.
const PAYLOAD_IN_LIST: usize = 64 * 1024;

/// A delivery with what it carries.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The event's `data`, as it was published. Null: the event is not kept (any more), or it has more than 64 KiB and stands in a list.
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Box<RawValue>>,
}

/// Which deliveries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeliveryQuery {
    /// How far they are.
    pub status: Option<Status>,
    /// Why they ended.
    pub reason: Option<String>,
    /// Of this type of event.
    pub event_type: Option<String>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// For this webhook.
    pub webhook_id: Option<DestinationId>,
    /// For this client's webhooks.
    pub client_id: Option<ClientId>,
    /// Made at this time or later.
    pub from: Option<Timestamp>,
    /// Made before this time.
    pub to: Option<Timestamp>,
    /// With this last status of the receiver.
    pub code: Option<u16>,
}

impl From<DeliveryQuery> for DeliveryFilter {
    fn from(query: DeliveryQuery) -> Self {
        Self {
            status: query.status,
            undelivered: false,
            lost: false,
            reason: query.reason,
            event_type: query.event_type,
            event: query.event_id,
            destination: query.webhook_id,
            client: query.client_id,
            from: query.from,
            to: query.to,
            code: query.code,
        }
    }
}

/// Adds the payloads. `most`: the largest that is shown.
fn with_payloads(tx: &mut Tx<'_>, tenant: TenantId, deliveries: Vec<Delivery>, most: usize) -> Result<Vec<DeliveryView>> {
    let mut keys: Vec<_> = deliveries.iter().map(|row| (tenant, row.event_id.clone(), row.event_created_at)).collect();
    keys.sort();
    keys.dedup();
    let events: HashMap<EventId, Arc<Event>> = events::load(tx, &keys)?.into_iter().map(|event| (event.id.clone(), event)).collect();
    let view = |delivery: Delivery| {
        // Retention or a wish to be forgotten may have erased the payload.
        let event = events.get(&delivery.event_id).filter(|event| !event.data.is_empty() && event.data.len() <= most);
        let payload = event.map(|event| raw(&event.data)).transpose()?;
        Ok(DeliveryView { delivery, payload })
    };
    deliveries.into_iter().map(view).collect()
}

fn raw(data: &[u8]) -> Result<Box<RawValue>> {
    // An erased one.
    let data = if data.is_empty() { b"null" } else { data };
    let text = String::from_utf8(data.to_vec()).map_err(Error::internal)?;
    RawValue::from_string(text).map_err(Error::internal)
}

const FILTERS: [(&str, &str); 9] = [
    ("status", "pending, delivered, failed or skipped"),
    ("reason", "Why they ended"),
    ("eventType", "Of this type of event"),
    ("eventId", "Of this event"),
    ("webhookId", "For this webhook"),
    ("clientId", "For this client's webhooks"),
    ("from", "Made at this time or later"),
    ("to", "Made before this time"),
    ("code", "With this last status of the receiver"),
];

const BY_CURSOR: [(&str, &str); 2] =
    [("limit", "Rows in the answer (default 20, most 100)"), ("cursor", "Go on where the last answer's nextCursor points")];

pub(crate) fn routes(webhooks: &Arc<Webhooks>) -> Api {
    let reading = |endpoint: Endpoint| endpoint.tag("Deliveries").needs(Access::Permission(Permission::WebhooksRead));
    let many = |endpoint: Endpoint| reading(endpoint).query(&FILTERS).paged().answers_page::<DeliveryView>();
    let on = || Arc::clone(webhooks);
    Api::new()
        .route(
            many(Endpoint::get("/api/v1/api-clients/{id}/webhooks/{webhookId}/deliveries", "clients.webhooks.deliveries"))
                .summary("List a webhook's deliveries, the newest first"),
            list::nested,
            on(),
        )
        .route(
            many(Endpoint::get("/api/v1/webhooks/{webhookId}/deliveries", "webhooks.deliveries"))
                .summary("List a webhook's deliveries, the newest first"),
            list::flat,
            on(),
        )
        .route(many(Endpoint::get("/api/v1/deliveries", "deliveries.list")).summary("List deliveries, the newest first"), list::all, on())
        .route(
            reading(Endpoint::get("/api/v1/undelivered", "deliveries.undelivered"))
                .query(&FILTERS)
                .query(&BY_CURSOR)
                .answers_page::<Undelivered>()
                .summary("List what did not arrive, and why; with reason=filtered or missing what never had a delivery"),
            undelivered::handle,
            on(),
        )
        .route(
            reading(Endpoint::get("/api/v1/deliveries/{id}", "deliveries.get")).summary("Get a delivery").answers::<DeliveryView>(200),
            get::handle,
            on(),
        )
        .route(
            reading(Endpoint::get("/api/v1/deliveries/{id}/attempts", "deliveries.attempts"))
                .summary("List the attempts of a delivery, the first one first")
                .answers::<attempts::Attempts>(200),
            attempts::handle,
            on(),
        )
        .route(
            Endpoint::post("/api/v1/deliveries/{id}/retry", "deliveries.retry")
                .tag("Deliveries")
                .needs(Access::Permission(Permission::WebhooksWrite))
                .summary("Deliver again, at once")
                .answers::<Delivery>(202),
            retry::handle,
            on(),
        )
        .merge(cancel_routes(webhooks))
}

fn cancel_routes(webhooks: &Arc<Webhooks>) -> Api {
    let writing = |endpoint: Endpoint| endpoint.tag("Deliveries").needs(Access::Permission(Permission::WebhooksWrite));
    Api::new()
        .route(
            writing(Endpoint::post("/api/v1/deliveries/{id}/cancel", "deliveries.cancel"))
                .summary("Do not deliver what is pending")
                .answers::<Delivery>(200),
            cancel::one,
            Arc::clone(webhooks),
        )
        .route(
            writing(Endpoint::post("/api/v1/events/{id}/cancel", "events.cancel"))
                .summary("Cancel every pending delivery of an event")
                .answers::<Cancelled>(200),
            cancel::of_event,
            Arc::clone(webhooks),
        )
}
