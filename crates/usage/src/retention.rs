//! Letting go of the request log and of counts, in small steps. Days of calls go as a whole: `store::Store::partitions`.

use kernel::{Result, Timestamp};
use store::Tx;

use crate::days;

/// The first tenant after `after` that has rows; the empty text begins. Rows of calls without a tenant have the empty one.
pub fn next_tenant(tx: &mut Tx<'_>, after: Option<&str>) -> Result<Option<String>> {
    let mut first: Option<String> = None;
    for table in days::tables(tx, None, None)? {
        let found: Option<String> = match after {
            None => tx.query_one(&format!("SELECT MIN(tenant_id) FROM {table}"), &[], |row| row.get(0))?,
            Some(after) => {
                let sql = format!("SELECT MIN(tenant_id) FROM {table} WHERE tenant_id > ?1");
                tx.query_one(&sql, &[after.into()], |row| row.get(0))?
            }
        };
        first = match (first, found) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    Ok(first)
}

/// Deletes some of a tenant's blocks all of whose calls are from before `before`, `limit` at most; answers how many calls they had.
pub fn delete_old(tx: &mut Tx<'_>, tenant: &str, before: Timestamp, limit: u32) -> Result<u64> {
    for table in days::tables(tx, None, Some(before))?.into_iter().rev() {
        let sql = format!(
            "DELETE FROM {table} WHERE tenant_id = ?1 AND at < ?2 AND (at, id) IN \
             (SELECT at, id FROM {table} WHERE tenant_id = ?1 AND at < ?2 ORDER BY at, id LIMIT ?3) RETURNING calls"
        );
        let deleted: Vec<u64> = tx.query(&sql, &[tenant.into(), before.into(), limit.into()], |row| row.get(0))?;
        if !deleted.is_empty() {
            return Ok(deleted.into_iter().sum());
        }
    }
    Ok(0)
}

/// Deletes some of the counts by hour from before `before`, of any tenant; answers how many.
pub fn delete_old_hours(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    delete_counts(tx, "usage_hours", before, limit)
}

/// Deletes some of the counts by day, and of the meters, from before `before`, of any tenant; answers how many.
pub fn delete_old_days(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let counts = delete_counts(tx, "usage_days", before, limit)?;
    let meters = tx.exec(
        "DELETE FROM usage_meters WHERE (tenant_id, hour, client_id, key_id, method, endpoint, node) IN \
         (SELECT tenant_id, hour, client_id, key_id, method, endpoint, node FROM usage_meters WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
        &[before.into(), limit.into()],
    )?;
    let writers = tx.exec("DELETE FROM usage_writers WHERE at < ?1", &[before.into()])?;
    Ok(counts + meters + writers)
}

/// Deletes some lines for billing of hours before `before`; answers how many. To be run on the state.
pub fn delete_old_lines(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        "DELETE FROM usage_lines WHERE sequence IN (SELECT sequence FROM usage_lines WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
        &[before.into(), limit.into()],
    )
}

fn delete_counts(tx: &mut Tx<'_>, table: &str, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        &format!(
            "DELETE FROM {table} WHERE (tenant_id, subject, kind, at, part, node) IN \
             (SELECT tenant_id, subject, kind, at, part, node FROM {table} WHERE at < ?1 ORDER BY at LIMIT ?2)"
        ),
        &[before.into(), limit.into()],
    )
}
