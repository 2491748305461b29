//! Statements on `sync_runs`.

use kernel::{Error, Result, SyncConfigId, SyncRunId, TenantId, Timestamp};
use store::{Tx, Value};

use super::{Mode, Row, State};
use crate::ledger::Of;

const COLUMNS: &str = "tenant_id, id, sync_id, number, mode, dry_run, trigger, state, checkpoint, counters, approved, code, message, \
                       parked_until, log_seq, created_at, started_at, ended_at";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        tenant: row.get(0)?,
        id: row.get(1)?,
        sync: row.get(2)?,
        number: row.get(3)?,
        mode: Mode::parse(&row.get::<String>(4)?),
        dry_run: row.get(5)?,
        trigger: row.get(6)?,
        state: State::parse(&row.get::<String>(7)?)?,
        checkpoint: serde_json::from_str(&row.get::<String>(8)?).map_err(Error::internal)?,
        counters: serde_json::from_str(&row.get::<String>(9)?).map_err(Error::internal)?,
        approved: row.get(10)?,
        code: row.get(11)?,
        message: row.get(12)?,
        parked_until: row.get(13)?,
        log_seq: row.get(14)?,
        created_at: row.get(15)?,
        started_at: row.get(16)?,
        ended_at: row.get(17)?,
    })
}

pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let text = |value: serde_json::Result<String>| value.map_err(Error::internal);
    tx.exec(
        "INSERT INTO sync_runs (tenant_id, id, sync_id, number, mode, dry_run, trigger, state, checkpoint, counters, approved, log_seq, \
         created_at, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11, ?12)",
        &[
            row.tenant.into(),
            row.id.into(),
            row.sync.into(),
            row.number.into(),
            row.mode.text().into(),
            row.dry_run.into(),
            row.trigger.as_str().into(),
            row.state.text().into(),
            text(serde_json::to_string(&row.checkpoint))?.into(),
            text(serde_json::to_string(&row.counters))?.into(),
            row.created_at.into(),
            row.started_at.into(),
        ],
    )
    .map(drop)
}

/// Writes what a step changed of a run that has not ended; false: it has.
pub(crate) fn save(tx: &mut Tx<'_>, row: &Row) -> Result<bool> {
    let text = |value: serde_json::Result<String>| value.map_err(Error::internal);
    let saved = tx.exec(
        "UPDATE sync_runs SET state = ?3, checkpoint = ?4, counters = ?5, code = ?6, message = ?7, parked_until = ?8, log_seq = ?9, \
         started_at = ?10, ended_at = ?11, mode = ?12 WHERE tenant_id = ?1 AND id = ?2 AND ended_at IS NULL",
        &[
            row.tenant.into(),
            row.id.into(),
            row.state.text().into(),
            text(serde_json::to_string(&row.checkpoint))?.into(),
            text(serde_json::to_string(&row.counters))?.into(),
            row.code.clone().into(),
            row.message.clone().into(),
            row.parked_until.into(),
            row.log_seq.into(),
            row.started_at.into(),
            row.ended_at.into(),
            row.mode.text().into(),
        ],
    )?;
    Ok(saved == 1)
}

/// Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: SyncRunId) -> Result<Row> {
    let sql = format!("SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)?.ok_or_else(|| Error::not_found("sync run"))
}

/// The newest first, of one sync or of all.
pub(super) fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    sync: Option<SyncConfigId>,
    before: &str,
    limit: u32,
    offset: u64,
) -> Result<Vec<Row>> {
    let narrow = if sync.is_some() { "AND sync_id = ?2" } else { "AND COALESCE(?2, '') = ''" };
    let sql = sync.map(|id| id.to_string());
    let text = format!("SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = ?1 {narrow} AND id < ?3 ORDER BY id DESC LIMIT ?4 OFFSET ?5");
    tx.query(&text, &[tenant.into(), sql.into(), before.into(), limit.into(), offset.into()], read)
}

/// A sync's runs that have not ended, but for the day's realtime one, the oldest first.
pub(crate) fn open(tx: &mut Tx<'_>, of: Of) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = ?1 AND sync_id = ?2 AND ended_at IS NULL AND mode <> 'realtime' ORDER BY number"
    );
    tx.query(&sql, &[of.tenant.into(), of.sync.into()], read)
}

/// A sync's realtime run that has not ended.
pub(crate) fn open_realtime(tx: &mut Tx<'_>, of: Of) -> Result<Option<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_runs WHERE tenant_id = ?1 AND sync_id = ?2 AND ended_at IS NULL AND mode = 'realtime' ORDER BY number DESC LIMIT 1"
    );
    tx.query_opt(&sql, &[of.tenant.into(), of.sync.into()], read)
}

/// Syncs of any tenant with a run that can go on: each tenant's first, then each one's second, so that one with many keeps none out of sight. Run by
/// the system.
pub(crate) fn ready(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Of>> {
    let now = tx.now();
    let sql = "SELECT tenant_id, sync_id FROM (SELECT tenant_id, sync_id, MIN(created_at) AS since, ROW_NUMBER() OVER (PARTITION BY tenant_id \
               ORDER BY MIN(created_at), sync_id) AS place FROM sync_runs WHERE ended_at IS NULL AND mode <> 'realtime' \
               AND (state IN ('queued', 'running') OR (state = 'parked' AND parked_until <= ?1)) GROUP BY tenant_id, sync_id) AS waiting \
               ORDER BY place, since, sync_id LIMIT ?2";
    tx.query(sql, &[now.into(), limit.into()], |row| Ok(Of { tenant: row.get(0)?, sync: row.get(1)? }))
}

/// Realtime syncs of any tenant with work that is due. Run by the system.
pub(crate) fn lively(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Of>> {
    let now = tx.now();
    let sql = "SELECT tenant_id, id FROM (SELECT c.tenant_id, c.id, ROW_NUMBER() OVER (PARTITION BY c.tenant_id ORDER BY c.id) AS place \
               FROM sync_configs c WHERE c.realtime = 1 AND c.enabled = 1 AND (EXISTS (SELECT 1 FROM sync_dirty d \
               WHERE d.tenant_id = c.tenant_id AND d.sync_id = c.id AND d.due_at <= ?1) OR EXISTS (SELECT 1 FROM sync_hints h \
               WHERE h.tenant_id = c.tenant_id AND h.sync_id = c.id AND h.due_at <= ?1))) AS waiting ORDER BY place, tenant_id, id LIMIT ?2";
    tx.query(sql, &[now.into(), limit.into()], |row| Ok(Of { tenant: row.get(0)?, sync: row.get(1)? }))
}

/// Whether something of a sync is due that no run need be asked for.
pub(crate) fn has_due(tx: &mut Tx<'_>, of: Of) -> Result<bool> {
    let now = tx.now();
    let sql = "SELECT 1 FROM sync_configs WHERE tenant_id = ?1 AND id = ?2 AND (EXISTS (SELECT 1 FROM sync_dirty d WHERE d.tenant_id = ?1 \
               AND d.sync_id = ?2 AND d.due_at <= ?3) OR EXISTS (SELECT 1 FROM sync_hints h WHERE h.tenant_id = ?1 AND h.sync_id = ?2 \
               AND h.due_at <= ?3))";
    Ok(tx.query_opt(sql, &[of.tenant.into(), of.sync.into(), now.into()], |_| Ok(()))?.is_some())
}

/// When the next parked run goes on. Run by the system.
pub(crate) fn next_parked(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    tx.query_one("SELECT MIN(parked_until) FROM sync_runs WHERE ended_at IS NULL AND state = 'parked'", &[], |row| row.get(0))
}

/// Somebody's word about a run: approval, or its end.
pub(super) fn decide(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: SyncRunId,
    state: State,
    approved: bool,
    ended: Option<Timestamp>,
) -> Result<bool> {
    let sql = "UPDATE sync_runs SET state = ?3, approved = ?4, ended_at = ?5, parked_until = NULL WHERE tenant_id = ?1 AND id = ?2 AND ended_at IS NULL";
    Ok(tx.exec(sql, &[tenant.into(), id.into(), state.text().into(), approved.into(), ended.into()])? == 1)
}

/// Ends what a sync that was switched off has not ended.
pub(crate) fn end_open(tx: &mut Tx<'_>, of: Of, code: &str, message: &str) -> Result<u64> {
    let now = tx.now();
    let sql = "UPDATE sync_runs SET state = 'cancelled', ended_at = ?3, parked_until = NULL, code = ?4, message = ?5 \
               WHERE tenant_id = ?1 AND sync_id = ?2 AND ended_at IS NULL";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), now.into(), code.into(), message.into()])
}

/// Whether a run has not ended.
pub(crate) fn is_open(tx: &mut Tx<'_>, tenant: TenantId, id: SyncRunId) -> Result<bool> {
    let sql = "SELECT 1 FROM sync_runs WHERE tenant_id = ?1 AND id = ?2 AND ended_at IS NULL";
    Ok(tx.query_opt(sql, &[tenant.into(), id.into()], |_| Ok(()))?.is_some())
}

/// A step of retention: some of a tenant's runs that ended before a time, with their logs; answers how many.
pub(crate) fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "SELECT id FROM sync_runs WHERE tenant_id = ?1 AND ended_at < ?2 LIMIT ?3";
    let ids: Vec<SyncRunId> = tx.query(sql, &[tenant.into(), before.into(), limit.into()], |row| row.get(0))?;
    for id in &ids {
        for sql in ["DELETE FROM sync_log WHERE tenant_id = ?1 AND run_id = ?2", "DELETE FROM sync_runs WHERE tenant_id = ?1 AND id = ?2"] {
            tx.exec(sql, &[Value::from(tenant), (*id).into()])?;
        }
    }
    Ok(ids.len() as u64)
}
