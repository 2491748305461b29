//! Every statement on `signals`.

use std::collections::BTreeMap;

use kernel::{Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use crate::Kind;
use crate::tally::{Count, Key};

const COLUMNS: usize = 7;

pub(crate) fn add(tx: &mut Tx<'_>, counts: &BTreeMap<Key, Count>) -> Result<()> {
    let mut values: Vec<Value> = Vec::with_capacity(counts.len() * COLUMNS);
    for (key, count) in counts {
        let tenant = key.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        values.extend([key.kind.as_str().into(), key.minute.into(), tenant.into(), key.subject.as_str().into()]);
        values.extend([count.count.into(), count.last_at.into(), count.detail.as_str().into()]);
    }
    let into = "INSERT INTO signals (kind, minute, tenant_id, subject, count, last_at, detail) VALUES";
    let add = "ON CONFLICT (kind, minute, tenant_id, subject) DO UPDATE SET count = signals.count + excluded.count, \
               last_at = CASE WHEN excluded.last_at > signals.last_at THEN excluded.last_at ELSE signals.last_at END, \
               detail = CASE WHEN excluded.last_at >= signals.last_at THEN excluded.detail ELSE signals.detail END";
    tx.insert_rows(into, COLUMNS, &values, add).map(drop)
}

/// What was counted about a subject since some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Whose; none: the operator's.
    pub tenant: Option<TenantId>,
    /// About what.
    pub subject: String,
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
    /// What was said of one of them.
    pub detail: String,
}

/// Subjects of which at least `least` were counted since `since` (whole minutes), those with most first, at most `limit`. In time that grows
/// with what went wrong since then, not with the number of tenants. Run by the system.
pub fn totals(tx: &mut Tx<'_>, kind: Kind, since: Timestamp, least: u64, limit: u32) -> Result<Vec<Total>> {
    let sql = "SELECT tenant_id, subject, CAST(SUM(count) AS BIGINT), MAX(last_at), MAX(detail) FROM signals \
               WHERE kind = ?1 AND minute >= ?2 GROUP BY tenant_id, subject HAVING SUM(count) >= CAST(?3 AS BIGINT) \
               ORDER BY 3 DESC, 1, 2 LIMIT ?4";
    tx.query(sql, &[kind.as_str().into(), since.into(), least.into(), limit.into()], read)
}

fn read(row: &Row<'_>) -> Result<Total> {
    let tenant: String = row.get(0)?;
    let tenant = if tenant.is_empty() { None } else { Some(tenant.parse()?) };
    Ok(Total { tenant, subject: row.get(1)?, count: row.get(2)?, last_at: row.get(3)?, detail: row.get(4)? })
}

/// Deletes some of the rows from before `before`; answers how many.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM signals WHERE minute < ?1 AND (kind, minute, tenant_id, subject) IN \
               (SELECT kind, minute, tenant_id, subject FROM signals WHERE minute < ?1 ORDER BY minute LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}

/// A tenant goes.
pub fn purge(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM signals WHERE tenant_id = ?1", &[tenant.into()]).map(drop)
}
