//! Every statement on `quarantined_calls`.

use kernel::{CallId, Error, Result, SourceId, TenantId, Timestamp};
use store::Tx;

use super::{MAX_CALLS, Row};
use crate::providers::Refusal;

const COLUMNS: &str = "id, source_id, received_at, reason, method, query, headers, body, body_bytes, remote";

fn read(row: &store::Row<'_>) -> Result<Row> {
    let reason: String = row.get(3)?;
    Ok(Row {
        id: row.get(0)?,
        source: row.get(1)?,
        received_at: row.get(2)?,
        reason: Refusal::read(&reason).ok_or_else(|| Error::internal(format!("there is no reason {reason:?}")))?,
        method: row.get(4)?,
        query: row.get(5)?,
        headers: row.get(6)?,
        body: row.get(7)?,
        body_bytes: row.get(8)?,
        remote: row.get(9)?,
    })
}

pub(crate) fn insert(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
    tx.exec(
        "INSERT INTO quarantined_calls (tenant_id, id, source_id, received_at, reason, method, query, headers, body, body_bytes, remote) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            tenant.into(),
            row.id.into(),
            row.source.into(),
            row.received_at.into(),
            row.reason.as_str().into(),
            row.method.as_str().into(),
            row.query.clone().into(),
            (&row.headers).into(),
            row.body.clone().into(),
            row.body_bytes.into(),
            row.remote.clone().into(),
        ],
    )?;
    Ok(())
}

/// Deletes what is older than `oldest`, and what is more than a source may have.
pub(crate) fn trim(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, oldest: Timestamp) -> Result<()> {
    tx.exec(
        "DELETE FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND received_at < ?3",
        &[tenant.into(), source.into(), oldest.into()],
    )?;
    tx.exec(
        "DELETE FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND id <= \
         (SELECT q.id FROM quarantined_calls q WHERE q.tenant_id = ?1 AND q.source_id = ?2 ORDER BY q.id DESC LIMIT 1 OFFSET ?3)",
        &[tenant.into(), source.into(), MAX_CALLS.into()],
    )?;
    Ok(())
}

/// The newest first, after `before`, none older than `oldest`.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    source: SourceId,
    oldest: Timestamp,
    before: &str,
    limit: u32,
    offset: u64,
) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND received_at >= ?3 AND id < ?4 \
         ORDER BY id DESC LIMIT ?5 OFFSET ?6"
    );
    tx.query(&sql, &[tenant.into(), source.into(), oldest.into(), before.into(), limit.into(), offset.into()], read)
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, oldest: Timestamp) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND received_at >= ?3";
    tx.query_one(sql, &[tenant.into(), source.into(), oldest.into()], |row| row.get(0))
}

/// One call of a source. Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, id: CallId) -> Result<Row> {
    let sql = format!("SELECT {COLUMNS} FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND id = ?3");
    let found = tx.query_opt(&sql, &[tenant.into(), source.into(), id.into()], read)?;
    found.ok_or_else(|| Error::not_found("call in this quarantine"))
}

/// Deletes one call. Error: 404.
pub(crate) fn delete(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, id: CallId) -> Result<()> {
    let sql = "DELETE FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2 AND id = ?3";
    match tx.exec(sql, &[tenant.into(), source.into(), id.into()])? {
        0 => Err(Error::not_found("call in this quarantine")),
        _ => Ok(()),
    }
}

pub(crate) fn delete_of_source(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId) -> Result<()> {
    let sql = "DELETE FROM quarantined_calls WHERE tenant_id = ?1 AND source_id = ?2";
    tx.exec(sql, &[tenant.into(), source.into()]).map(|_| ())
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM quarantined_calls WHERE tenant_id = ?1", &[tenant.into()]).map(|_| ())
}
