//! Deliveries as they are shown: pending ones from the queue, finished ones from the log, as one list.

mod attempts;
mod cancel;
mod count;
mod get;
mod list;
mod pairs;
mod requeue;
mod retry;
mod sql;
mod walk;
mod worker;

use kernel::{AttemptId, ClientId, DeliveryId, DestinationId, EventId, EventType, Timestamp};
use serde::{Deserialize, Serialize};

pub use attempts::attempts;
pub(crate) use cancel::{cancel, cancel_event, follow as follow_cancellations};
pub use count::count_finished;
pub use get::get;
pub use list::{DeliveryFilter, list};
pub use pairs::attempted;
pub(crate) use pairs::replay;
pub(crate) use requeue::requeue;
pub(crate) use retry::retry;
pub use walk::walk;

/// The topic of notices that a destination has deliveries that are due at once; the key is the destination's id.
pub(crate) const TOPIC: &str = "queue";

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DeliveryStatus)]
pub enum Status {
    /// It will be attempted.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was attempted in vain.
    Failed,
    /// It was not to be delivered.
    Skipped,
}

impl Status {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One event for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// The event's type.
    #[schema(value_type = String)]
    pub event_type: EventType,
    /// The destination.
    pub webhook_id: DestinationId,
    /// The destination's client.
    pub client_id: ClientId,
    /// Its place in the destination's sequence, from 1; 0 for a test delivery.
    pub sequence: i64,
    /// How far it is.
    pub status: Status,
    /// Why it ended: `delivered`, `exhausted`, `gone`, `disabled`, `cancelled`, `expired`, `refused`, `test`, …
    pub reason: Option<String>,
    /// Attempts so far.
    pub attempt_count: u32,
    /// When it is or was to be sent first.
    pub scheduled_for: Timestamp,
    /// When it will be attempted next, while it is pending.
    pub next_retry_at: Option<Timestamp>,
    /// When the receiver had it.
    pub delivered_at: Option<Timestamp>,
    /// When it ended, whichever way.
    pub finished_at: Option<Timestamp>,
    /// The receiver's last status.
    pub response_code: Option<u16>,
    /// The receiver's last answer, cut; once it has ended.
    pub response_body: Option<String>,
    /// What went wrong last.
    pub error_message: Option<String>,
    /// Made at.
    pub created_at: Timestamp,
    /// When the event was accepted: its key together with its id.
    pub event_created_at: Timestamp,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The receiver's status, if it answered.
    pub status_code: Option<u16>,
    /// What sort of failure: `timeout`, `connect`, `dns`, `tls`, `protocol`, `refused`, `status`.
    pub error_kind: Option<String>,
    /// The failure in words.
    pub error: Option<String>,
    /// What was sent, secrets masked.
    #[schema(value_type = Option<Object>)]
    pub request_headers: Option<serde_json::Value>,
    /// What came.
    #[schema(value_type = Option<Object>)]
    pub response_headers: Option<serde_json::Value>,
    /// What came, at most 16 KiB.
    pub response_body: Option<String>,
}
