//! Keys that end, for those who watch over them.

use std::time::Duration;

use kernel::{KeyId, Result, TenantId, Timestamp};
use store::Tx;

/// Keys that are made to live no longer than this are not worth a word.
const SHORT: Duration = Duration::from_hours(48);
/// A key that was used so lately is in use.
const IN_USE: Duration = Duration::from_hours(24);

/// A key that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingKey {
    /// Whose.
    pub tenant: TenantId,
    /// The key.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// When it ends.
    pub at: Timestamp,
}

/// Any tenant's active keys that end from `from` until before `to`, the next to end first; not those that were made for two days or less, nor
/// those that another one replaced and nobody uses. Run by the system.
pub fn ending(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<EndingKey>> {
    let used = tx.now().minus(IN_USE);
    let short = i64::try_from(SHORT.as_millis()).unwrap_or(i64::MAX);
    let sql = "SELECT tenant_id, id, name, expires_at FROM api_keys WHERE expires_at >= ?1 AND expires_at < ?2 AND status = 'active' \
               AND expires_at - created_at > CAST(?3 AS BIGINT) AND (rotated_to IS NULL OR last_used_at > ?4) ORDER BY expires_at, id LIMIT ?5";
    tx.query(sql, &[from.into(), to.into(), short.into(), used.into(), limit.into()], |row| {
        Ok(EndingKey { tenant: row.get(0)?, id: row.get(1)?, name: row.get(2)?, at: row.get(3)? })
    })
}
