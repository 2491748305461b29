//! Events that match a webhook but never had a delivery for it.

use std::collections::HashSet;
use std::sync::Arc;

use dispatch::deliveries;
use events::Stretch;
use kernel::{Event, EventId, Result, TenantId, Timestamp};
use store::Tx;

use crate::index::Listener;

/// The place of an event in the order of acceptance.
pub(crate) type Place = (Timestamp, EventId);

/// What a look at a stretch of events found.
pub(crate) struct Found {
    /// Those that match and have no delivery.
    pub(crate) missing: Vec<Arc<Event>>,
    /// Where the next look goes on; none: the stretch is at its end.
    pub(crate) next: Option<Place>,
}

/// Looks at the next events of a stretch.
pub(crate) fn look(tx: &mut Tx<'_>, tenant: TenantId, listener: &Listener, stretch: &Stretch) -> Result<Found> {
    let seen = events::walk(tx, tenant, stretch)?;
    let more = seen.len() >= usize::try_from(stretch.limit).unwrap_or(usize::MAX);
    let next = seen.last().filter(|_| more).map(|event| (event.created_at, event.id.clone()));
    // What has been erased cannot be delivered any more.
    let matching: Vec<Arc<Event>> = seen.into_iter().filter(|event| !event.data.is_empty() && listener.takes(event)).collect();
    let attempted: HashSet<EventId> = deliveries::attempted(tx, tenant, listener.id, &matching)?;
    Ok(Found { missing: matching.into_iter().filter(|event| !attempted.contains(&event.id)).collect(), next })
}
