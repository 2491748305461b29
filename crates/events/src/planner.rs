//! Who is to get an event.

use std::sync::Arc;

use kernel::{DeliveryId, DestinationId, Event, EventId, Result, TenantId};
use serde::{Deserialize, Serialize};
use store::Tx;

/// Decides who gets events, and enqueues their deliveries. Implemented above this crate, wired by the binary.
pub trait Planner: Send + Sync {
    /// Called inside the publishing transaction, once for all new events of it and before their rows are inserted. Answers one [`Planned`]
    /// an event, in order. The scope may be the system's: events of several tenants come together.
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>>;

    /// What became of an event's deliveries, for whoever asks about the event: at most [`MAX_PAIRS`].
    fn pairs(&self, tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<Vec<Pair>> {
        let _ = (tx, tenant, event);
        Ok(Vec::new())
    }
}

/// What follows from one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Delivery rows that were made.
    pub deliveries: u32,
    /// Destinations that listen to this event but whose filter turned it away.
    pub filtered: Vec<DestinationId>,
}

/// Most pairs that an event shows; a list of deliveries has them all.
pub const MAX_PAIRS: u32 = 100;

/// An event and a webhook, and how far they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The webhook.
    pub webhook_id: DestinationId,
    /// The delivery; null: there is none.
    pub delivery_id: Option<DeliveryId>,
    /// `pending`, `delivered`, `failed` or `skipped`.
    pub status: String,
    /// Why it ended; null while it is pending.
    pub reason: Option<String>,
}
