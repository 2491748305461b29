//! Who is told how deliveries end and how destinations fare, inside the transaction that brings it: what a feature above makes of it commits
//! with it or not at all.

use kernel::{ClientId, DeliveryId, DestinationId, EventId, EventType, Result, TenantId, Timestamp};
use store::Tx;

use crate::queue::Pending;

/// A delivery that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whose.
    pub tenant: TenantId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The destination.
    pub destination: DestinationId,
    /// The destination's client.
    pub client: ClientId,
    /// The event.
    pub event: EventId,
    /// The event's type.
    pub event_type: EventType,
    /// Why: `exhausted`, `gone`, …
    pub reason: &'static str,
    /// Attempts in all.
    pub attempts: u32,
    /// The receiver's last status.
    pub status_code: Option<u16>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// How a destination's fortune turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing has arrived since then, some minutes at least.
    Failing(Timestamp),
    /// Something arrived again.
    Recovered,
    /// It gets nothing any more, for this reason: `gone`, …
    Disabled(&'static str),
}

/// Told inside the transaction. An error undoes the whole group of outcomes, so an observer fails only when the database does.
pub trait Observer: Send + Sync {
    /// Deliveries that failed for good; never empty.
    fn lost(&self, tx: &mut Tx<'_>, lost: &[Ended]) -> Result<()>;

    /// How a destination fares. `Failing` is told again and again while it lasts, `Recovered` also of one that failed for a moment only; the
    /// observer knows what it has told. `cause`: the type of the event whose delivery brought it.
    fn turned(&self, tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId, turn: &Turn, cause: Option<&EventType>) -> Result<()>;
}

impl Ended {
    /// That failed at its last attempt.
    pub(crate) fn after_attempt(
        row: &Pending,
        reason: &'static str,
        attempts: u32,
        status_code: Option<u16>,
        error: Option<String>,
    ) -> Self {
        let (tenant, delivery, destination, client) = (row.tenant, row.id, row.destination, row.client);
        let (event, event_type) = (row.event_id.clone(), row.event_type.clone());
        Self { tenant, delivery, destination, client, event, event_type, reason, attempts, status_code, error }
    }

    /// That failed without another attempt.
    pub(crate) fn unattempted(row: &Pending, reason: &'static str) -> Self {
        Self::after_attempt(row, reason, row.attempt_count, row.last_status_code, row.last_error.clone())
    }
}
