//! Counting what a bulk operation would touch, up to a bound.

use kernel::{Result, TenantId};
use store::Tx;

use super::list::{conditions, finished};
use super::{DeliveryFilter, Status};

/// How many finished deliveries match, but at most `most`: counting a million rows for a number nobody can act on is not worth it.
pub fn count_finished(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, most: u32) -> Result<u64> {
    if filter.status == Some(Status::Pending) {
        return Ok(0);
    }
    let mut both = conditions(tenant, filter);
    let text = finished(filter, &mut both);
    let limit = both.place(most);
    let sql = format!("SELECT COUNT(*) FROM (SELECT id FROM deliveries WHERE {text} LIMIT ?{limit}) AS found");
    tx.query_one(&sql, &both.values, |row| row.get(0))
}
