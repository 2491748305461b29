//! Statements on `job_schedules`.

use kernel::{ClientId, Error, JobScheduleId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::JobSchedule;

const COLUMNS: &str = "id, type, name, cron, timezone, input, priority, enabled, client_id, next_at, last_at, last_job_id, last_error, created_at, \
                       updated_at, tenant_id";

fn read(row: &Row<'_>) -> Result<JobSchedule> {
    Ok(JobSchedule {
        id: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        cron: row.get(3)?,
        timezone: row.get(4)?,
        input: serde_json::from_str(&row.get::<String>(5)?).map_err(Error::internal)?,
        priority: row.get(6)?,
        enabled: row.get(7)?,
        client_id: row.get(8)?,
        next_run_at: row.get(9)?,
        last_run_at: row.get(10)?,
        last_job_id: row.get(11)?,
        last_error: row.get(12)?,
        created_at: row.get(13)?,
        updated_at: row.get(14)?,
    })
}

fn changeable(schedule: &JobSchedule) -> Result<[Value; 8]> {
    Ok([
        schedule.name.clone().into(),
        schedule.cron.as_str().into(),
        schedule.timezone.as_str().into(),
        serde_json::to_string(&schedule.input).map_err(Error::internal)?.into(),
        schedule.priority.into(),
        schedule.enabled.into(),
        schedule.next_run_at.into(),
        schedule.updated_at.into(),
    ])
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, schedule: &JobSchedule) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), schedule.id.into()];
    values.extend(changeable(schedule)?);
    values.extend([schedule.kind.as_str().into(), schedule.client_id.into(), schedule.created_at.into()]);
    tx.exec(
        "INSERT INTO job_schedules (tenant_id, id, name, cron, timezone, input, priority, enabled, next_at, updated_at, type, client_id, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &values,
    )?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, tenant: TenantId, schedule: &JobSchedule) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), schedule.id.into()];
    values.extend(changeable(schedule)?);
    tx.exec(
        "UPDATE job_schedules SET name = ?3, cron = ?4, timezone = ?5, input = ?6, priority = ?7, enabled = ?8, next_at = ?9, updated_at = ?10 \
         WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )?;
    Ok(())
}

pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: JobScheduleId) -> Result<Option<JobSchedule>> {
    let sql = format!("SELECT {COLUMNS} FROM job_schedules WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// The newest first, those of these types (none: all) and, where one is given, of this client.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, before: &str, limit: u32, offset: u64) -> Result<Vec<JobSchedule>> {
    let sql = format!("SELECT {COLUMNS} FROM job_schedules WHERE tenant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?4");
    tx.query(&sql, &[tenant.into(), before.into(), limit.into(), offset.into()], read)
}

pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId) -> Result<i64> {
    tx.query_one("SELECT COUNT(*) FROM job_schedules WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: JobScheduleId) -> Result<u64> {
    tx.exec("DELETE FROM job_schedules WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])
}

/// Any tenant's that are due. Run by the system.
pub(super) fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<Vec<(TenantId, JobSchedule)>> {
    let sql = format!("SELECT {COLUMNS} FROM job_schedules WHERE next_at IS NOT NULL AND next_at <= ?1 ORDER BY next_at LIMIT ?2");
    tx.query(&sql, &[now.into(), limit.into()], |row| Ok((row.get(15)?, read(row)?)))
}

/// Moves on from a time that is due; false: another node did.
pub(super) fn move_on(tx: &mut Tx<'_>, tenant: TenantId, schedule: &JobSchedule, next: Option<Timestamp>) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE job_schedules SET next_at = ?4, last_at = ?5 WHERE tenant_id = ?1 AND id = ?2 AND next_at = ?3";
    let params = [tenant.into(), schedule.id.into(), schedule.next_run_at.into(), next.into(), now.into()];
    Ok(tx.exec(sql, &params)? == 1)
}

/// What came of it.
pub(super) fn note(tx: &mut Tx<'_>, tenant: TenantId, id: JobScheduleId, job: Option<kernel::JobId>, error: Option<&str>) -> Result<()> {
    let sql = "UPDATE job_schedules SET last_job_id = COALESCE(?3, last_job_id), last_error = ?4 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), job.into(), error.into()]).map(drop)
}

/// Whether the client still is.
pub(super) fn has_client(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<bool> {
    match access::clients::resolve(tx, tenant, &kernel::IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
