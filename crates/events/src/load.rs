//! Reading events again by their keys.

use std::sync::Arc;

use kernel::{Event, EventId, Result, TenantId, Timestamp};
use store::Tx;

use crate::sql;

/// Tenant, id and the time at which the event was accepted, which tells the partition.
pub type EventKey = (TenantId, EventId, Timestamp);

/// The events of these keys, in any order. One that retention or a purge has removed is left out.
pub fn load(tx: &mut Tx<'_>, keys: &[EventKey]) -> Result<Vec<Arc<Event>>> {
    sql::by_keys(tx, keys)
}
