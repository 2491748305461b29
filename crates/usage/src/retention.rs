//! Letting go of the request log, in small steps.

use kernel::{Result, Timestamp};
use store::Tx;

/// The first tenant after `after` that has rows; the empty text begins. Rows of calls without a tenant have the empty one.
pub fn next_tenant(tx: &mut Tx<'_>, after: Option<&str>) -> Result<Option<String>> {
    match after {
        None => tx.query_one("SELECT MIN(tenant_id) FROM request_logs", &[], |row| row.get(0)),
        Some(after) => tx.query_one("SELECT MIN(tenant_id) FROM request_logs WHERE tenant_id > ?1", &[after.into()], |row| row.get(0)),
    }
}

/// Deletes some of a tenant's rows from before `before`; answers how many.
pub fn delete_old(tx: &mut Tx<'_>, tenant: &str, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        "DELETE FROM request_logs WHERE tenant_id = ?1 AND at < ?2 AND id IN \
         (SELECT id FROM request_logs WHERE tenant_id = ?1 AND at < ?2 ORDER BY at, id LIMIT ?3)",
        &[tenant.into(), before.into(), limit.into()],
    )
}
