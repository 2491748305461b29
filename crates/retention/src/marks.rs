//! How far something has been done.

use kernel::{Result, Timestamp};
use store::Tx;

pub(crate) const PAYLOADS: &str = "payloads";
pub(crate) const ANSWERS: &str = "answers";
pub(crate) const ATTEMPTS: &str = "attempts";
pub(crate) const EXPORTED: &str = "exported";

/// Until then; the beginning of time if nothing has been done.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: &str, what: &str) -> Result<Option<Timestamp>> {
    tx.query_opt("SELECT at FROM retention_marks WHERE tenant_id = ?1 AND what = ?2", &[tenant.into(), what.into()], |row| row.get(0))
}

pub(crate) fn put(tx: &mut Tx<'_>, tenant: &str, what: &str, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO retention_marks (tenant_id, what, at) VALUES (?1, ?2, ?3) ON CONFLICT (tenant_id, what) DO UPDATE SET at = excluded.at";
    tx.exec(sql, &[tenant.into(), what.into(), at.into()]).map(drop)
}
