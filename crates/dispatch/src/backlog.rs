//! How much is pending, and since when, over all nodes: for operators. Both questions have a bounded cost. Deliveries stand in the queue, or,
//! where they are attempted right after their publication, on slips, of which a bounded number is looked at.

use kernel::{Result, Timestamp};
use store::Tx;

use crate::queue::slips;

/// Pending deliveries are counted to here.
pub const MOST: u64 = 100_000;
/// Tenants that are looked at for the oldest one.
const TENANTS: i64 = 10_000;

/// Slips that are looked at: those that their nodes wrote first, which are there no longer when all is well.
const SLIPS: u32 = 500;

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many deliveries, at most [`MOST`].
    pub pending: u64,
    /// When the oldest of them was made.
    pub oldest_at: Option<Timestamp>,
}

/// From one tenant's first row to the next tenant's, by the primary key: ids sort by time, so a tenant's first row is its oldest.
const OLDEST: &str = "WITH RECURSIVE tenants (tenant_id) AS (
        SELECT MIN(tenant_id) FROM queue
        UNION ALL
        SELECT (SELECT MIN(q.tenant_id) FROM queue q WHERE q.tenant_id > t.tenant_id) FROM tenants t WHERE t.tenant_id IS NOT NULL
    )
    SELECT MIN((SELECT q.created_at FROM queue q WHERE q.tenant_id = t.tenant_id ORDER BY q.id LIMIT 1))
    FROM (SELECT tenant_id FROM tenants WHERE tenant_id IS NOT NULL LIMIT ?1) t";

/// Reads it, in system scope.
pub fn read(tx: &mut Tx<'_>) -> Result<Backlog> {
    let pending: u64 =
        tx.query_one("SELECT COUNT(*) FROM (SELECT 1 AS one FROM queue LIMIT ?1) AS found", &[MOST.into()], |row| row.get(0))?;
    let oldest_at = tx.query_one(OLDEST, &[TENANTS.into()], |row| row.get::<Option<Timestamp>>(0))?;
    let on_slips = slips::some(tx, SLIPS)?;
    let oldest_on_slip = on_slips.iter().map(|row| row.created_at).min();
    Ok(Backlog {
        pending: MOST.min(pending.saturating_add(on_slips.len() as u64)),
        oldest_at: oldest_at.into_iter().chain(oldest_on_slip).min(),
    })
}
