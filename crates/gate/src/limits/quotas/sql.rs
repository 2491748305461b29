//! Every statement on `quota_uses`.

use kernel::{Result, TenantId, Timestamp};
use store::Tx;

use super::book::Line;

pub(super) fn used(tx: &mut Tx<'_>, tenant: TenantId, subject: &str, start: i64) -> Result<u64> {
    let sql = "SELECT used FROM quota_uses WHERE tenant_id = ?1 AND subject = ?2 AND period_start = ?3";
    Ok(tx.query_opt(sql, &[tenant.into(), subject.into(), start.into()], |row| row.get(0))?.unwrap_or(0))
}

/// Adds what a node counted; answers what all nodes together have.
pub(super) fn add(tx: &mut Tx<'_>, line: &Line) -> Result<u64> {
    tx.query_one(
        "INSERT INTO quota_uses (tenant_id, subject, period_start, used) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant_id, subject, period_start) DO UPDATE SET used = quota_uses.used + excluded.used RETURNING used",
        &[line.tenant.into(), (&*line.subject).into(), line.start.into(), line.used.into()],
        |row| row.get(0),
    )
}

/// Forgets the periods that began before `oldest`.
pub(super) fn forget(tx: &mut Tx<'_>, oldest: Timestamp) -> Result<()> {
    tx.exec("DELETE FROM quota_uses WHERE period_start < ?1", &[oldest.into()]).map(drop)
}

pub(super) fn purge_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM quota_uses WHERE tenant_id = ?1", &[tenant.into()]).map(drop)
}

pub(super) fn purge_subject(tx: &mut Tx<'_>, tenant: TenantId, subject: &str) -> Result<()> {
    tx.exec("DELETE FROM quota_uses WHERE tenant_id = ?1 AND subject = ?2", &[tenant.into(), subject.into()]).map(drop)
}
