//! Keys that were replaced and end.

use kernel::{Result, TenantId, Timestamp};
use store::Tx;

use super::sql;

/// Any tenant's keys that end from `from` until before `to`, the next to end first: tenant, `kid`, end. Run by the system.
pub fn ending(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<(TenantId, String, Timestamp)>> {
    sql::ending(tx, from, to, limit)
}
