//! Statements on `jobs` that are not a lease's.

use kernel::{JobId, Result, TenantId, Timestamp};
use store::{Row as Columns, Tx, Value};

use super::{Row, State};

/// All but input and result.
const SHORT: &str = "tenant_id, id, type, state, priority, client_id, error, progress, message, attempts, failures, losses, epoch, lease, \
                     run_at, due_at, deadline_at, webhook_id, webhook_url, record_id, schedule_id, created_at, started_at, ended_at";

pub(crate) fn short() -> &'static str {
    SHORT
}

/// A row of [`short`], and after it input and result where they were read too.
pub(crate) fn read(row: &Columns<'_>, whole: bool) -> Result<Row> {
    Ok(Row {
        tenant: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        state: State::parse(&row.get::<String>(3)?)?,
        priority: row.get(4)?,
        client: row.get(5)?,
        error: row.get(6)?,
        progress: row.get(7)?,
        message: row.get(8)?,
        attempts: row.get(9)?,
        failures: row.get(10)?,
        losses: row.get(11)?,
        epoch: row.get(12)?,
        lease: row.get(13)?,
        run_at: row.get(14)?,
        due_at: row.get(15)?,
        deadline_at: row.get(16)?,
        webhook: row.get(17)?,
        webhook_url: row.get(18)?,
        record: row.get(19)?,
        schedule: row.get(20)?,
        created_at: row.get(21)?,
        started_at: row.get(22)?,
        ended_at: row.get(23)?,
        input: if whole { row.get(24)? } else { String::new() },
        result: if whole { row.get(25)? } else { None },
    })
}

pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row, rank: i64) -> Result<()> {
    tx.exec(
        "INSERT INTO jobs (tenant_id, id, type, state, rank, priority, client_id, input, progress, attempts, failures, losses, epoch, run_at, due_at, \
         deadline_at, webhook_id, webhook_url, record_id, schedule_id, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, 0, 0, 0, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        &[
            row.tenant.into(),
            row.id.into(),
            row.kind.as_str().into(),
            row.state.as_str().into(),
            rank.into(),
            row.priority.into(),
            row.client.into(),
            row.input.as_str().into(),
            row.run_at.into(),
            row.due_at.into(),
            row.deadline_at.into(),
            row.webhook.into(),
            row.webhook_url.clone().into(),
            row.record.clone().into(),
            row.schedule.into(),
            row.created_at.into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: JobId) -> Result<Option<Row>> {
    let sql = format!("SELECT {SHORT}, input, result FROM jobs WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], |row| read(row, true))
}

/// Without input and result.
pub(crate) fn get_short(tx: &mut Tx<'_>, tenant: TenantId, id: JobId) -> Result<Option<Row>> {
    let sql = format!("SELECT {SHORT} FROM jobs WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], |row| read(row, false))
}

/// What a list is narrowed to.
pub(crate) struct Narrow<'a> {
    pub(crate) states: &'a [State],
    pub(crate) kinds: Option<&'a [String]>,
    pub(crate) before: &'a str,
    pub(crate) limit: u32,
    pub(crate) offset: u64,
}

/// The newest first, without input and result.
pub(crate) fn list(tx: &mut Tx<'_>, tenant: TenantId, narrow: &Narrow<'_>) -> Result<Vec<Row>> {
    let mut sql = format!("SELECT {SHORT} FROM jobs WHERE tenant_id = ?1 AND id < ?2");
    let mut params: Vec<Value> = vec![tenant.into(), narrow.before.into()];
    if !narrow.states.is_empty() {
        // The index of jobs that ended badly is used for these alone.
        if narrow.states.iter().all(|state| matches!(state, State::Failed | State::Cancelled)) {
            sql.push_str(" AND state IN ('failed', 'cancelled')");
        }
        among(&mut sql, &mut params, "state", narrow.states.iter().map(|state| state.as_str().into()));
    }
    if let Some(kinds) = narrow.kinds {
        among(&mut sql, &mut params, "type", kinds.iter().map(Into::into));
    }
    params.extend([narrow.limit.into(), narrow.offset.into()]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ?{} OFFSET ?{}", params.len() - 1, params.len()));
    tx.query(&sql, &params, |row| read(row, false))
}

fn among(sql: &mut String, params: &mut Vec<Value>, column: &str, values: impl Iterator<Item = Value>) {
    let from = params.len() + 1;
    params.extend(values);
    let places: Vec<String> = (from..=params.len()).map(|n| format!("?{n}")).collect();
    sql.push_str(&format!(" AND {column} IN ({})", places.join(", ")));
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    for sql in [
        "DELETE FROM jobs WHERE tenant_id = ?1",
        "DELETE FROM job_lanes WHERE tenant_id = ?1",
        "DELETE FROM job_webhooks WHERE tenant_id = ?1",
        "DELETE FROM job_schedules WHERE tenant_id = ?1",
    ] {
        tx.exec(sql, &[tenant.into()])?;
    }
    Ok(())
}

/// Jobs that ended before a time.
pub(crate) fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM jobs WHERE tenant_id = ?1 AND id IN \
               (SELECT id FROM jobs WHERE tenant_id = ?1 AND ended_at IS NOT NULL AND ended_at < ?2 ORDER BY ended_at LIMIT ?3)";
    tx.exec(sql, &[tenant.into(), before.into(), limit.into()])
}
