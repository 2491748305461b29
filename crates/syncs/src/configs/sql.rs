//! Statements on `sync_configs`.

use kernel::{Error, IntegrationId, Result, SyncConfigId, SyncRunId, TenantId, Timestamp};
use store::{Tx, Value};

use super::{Row, SyncConfig};
use crate::frequency::Schedule;
use crate::ledger::Of;
use crate::runs::State;

const COLUMNS: &str = "tenant_id, id, integration_id, resource, object, enabled, settings, version, cursor, deleted_cursor, next_at, full_at, \
                       last_run_id, last_sync_at, last_status, last_error, enabled_at, created_at, updated_at, watch_id, watch_until";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        tenant: row.get(0)?,
        config: SyncConfig {
            id: row.get(1)?,
            integration_id: row.get(2)?,
            resource_type: row.get(3)?,
            object: row.get(4)?,
            enabled: row.get(5)?,
            settings: serde_json::from_str(&row.get::<String>(6)?).map_err(Error::internal)?,
            mapping_version: row.get(7)?,
            next_run_at: row.get(10)?,
            last_run_id: row.get(12)?,
            last_sync_at: row.get(13)?,
            last_sync_status: row.get::<Option<String>>(14)?.map(|text| State::parse(&text)).transpose()?,
            last_error: row.get(15)?,
            created_at: row.get(17)?,
            updated_at: row.get(18)?,
        },
        cursor: row.get(8)?,
        deleted_cursor: row.get(9)?,
        full_at: row.get(11)?,
        enabled_at: row.get(16)?,
        watch: row.get::<Option<String>>(19)?.map(|id| Ok::<_, Error>((id, row.get(20)?))).transpose()?,
    })
}

fn changeable(row: &Row) -> Result<[Value; 9]> {
    let config = &row.config;
    Ok([
        config.enabled.into(),
        (config.enabled && config.settings.direction.pushes()).into(),
        (config.settings.schedule()? == Schedule::Realtime).into(),
        serde_json::to_string(&config.settings).map_err(Error::internal)?.into(),
        config.mapping_version.into(),
        config.next_run_at.into(),
        row.full_at.into(),
        row.enabled_at.into(),
        config.updated_at.into(),
    ])
}

pub(super) fn insert(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let config = &row.config;
    let mut values: Vec<Value> = vec![row.tenant.into(), config.id.into()];
    values.extend(changeable(row)?);
    values.extend([
        config.integration_id.into(),
        config.resource_type.as_str().into(),
        config.object.as_str().into(),
        config.created_at.into(),
    ]);
    tx.exec(
        "INSERT INTO sync_configs (tenant_id, id, enabled, pushes, realtime, settings, version, next_at, full_at, enabled_at, updated_at, \
         integration_id, resource, object, created_at, epoch, lease_until, runs) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 0, 0, 0)",
        &values,
    )
    .map(drop)
}

pub(super) fn update(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let mut values: Vec<Value> = vec![row.tenant.into(), row.config.id.into()];
    values.extend(changeable(row)?);
    tx.exec(
        "UPDATE sync_configs SET enabled = ?3, pushes = ?4, realtime = ?5, settings = ?6, version = ?7, next_at = ?8, full_at = ?9, \
         enabled_at = ?10, updated_at = ?11 WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )
    .map(drop)
}

/// Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: SyncConfigId) -> Result<Row> {
    let sql = format!("SELECT {COLUMNS} FROM sync_configs WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)?.ok_or_else(|| Error::not_found("sync"))
}

pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId) -> Result<i64> {
    tx.query_one("SELECT COUNT(*) FROM sync_configs WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    integration: Option<IntegrationId>,
    before: &str,
    limit: u32,
    offset: u64,
) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sync_configs WHERE tenant_id = ?1 AND id < ?2 AND integration_id = COALESCE(?3, integration_id) \
         ORDER BY id DESC LIMIT ?4 OFFSET ?5"
    );
    let integration = integration.map(|id| id.to_string());
    tx.query(&sql, &[tenant.into(), before.into(), integration.into(), limit.into(), offset.into()], read)
}

/// How many use an integration.
pub(crate) fn count_of(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM sync_configs WHERE tenant_id = ?1 AND integration_id = ?2";
    tx.query_one(sql, &[tenant.into(), integration.into()], |row| row.get(0))
}

/// Those that follow an object of an integration: whom a vendor's webhook concerns.
pub(crate) fn following(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM sync_configs WHERE tenant_id = ?1 AND integration_id = ?2 AND enabled = 1 ORDER BY id");
    tx.query(&sql, &[tenant.into(), integration.into()], read)
}

/// Any tenant's whose time has come. Run by the system.
pub(crate) fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM sync_configs WHERE next_at IS NOT NULL AND next_at <= ?1 ORDER BY next_at LIMIT ?2");
    tx.query(&sql, &[now.into(), limit.into()], read)
}

/// When the next of any tenant is due. Run by the system.
pub(crate) fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    tx.query_one("SELECT MIN(next_at) FROM sync_configs WHERE next_at IS NOT NULL", &[], |row| row.get(0))
}

/// Moves on from a time that is due; false: another node did.
pub(crate) fn move_on(tx: &mut Tx<'_>, row: &Row, next: Option<Timestamp>) -> Result<bool> {
    let sql = "UPDATE sync_configs SET next_at = ?4 WHERE tenant_id = ?1 AND id = ?2 AND next_at = ?3";
    Ok(tx.exec(sql, &[row.tenant.into(), row.config.id.into(), row.config.next_run_at.into(), next.into()])? == 1)
}

/// The resource types that somebody follows, of all tenants.
pub(crate) fn followed(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, String)>> {
    tx.query("SELECT DISTINCT tenant_id, resource FROM sync_configs WHERE pushes = 1", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Holds a sync's row until the transaction ends, as every step of a runner does before anything else: whoever writes what belongs to a sync
/// begins here too, so that nobody waits for somebody who waits for them.
pub(crate) fn hold(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let sql = "UPDATE sync_configs SET epoch = epoch WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into()]).map(drop)
}

/// Becomes the runner, if there is none that is good; answers the epoch.
pub(crate) fn take_lease(tx: &mut Tx<'_>, of: Of, runner: &str, until: Timestamp) -> Result<Option<i64>> {
    let now = tx.now();
    tx.query_opt(
        "UPDATE sync_configs SET epoch = epoch + 1, runner = ?3, lease_until = ?4 WHERE tenant_id = ?1 AND id = ?2 \
         AND (runner IS NULL OR lease_until <= ?5) RETURNING epoch",
        &[of.tenant.into(), of.sync.into(), runner.into(), until.into(), now.into()],
        |row| row.get(0),
    )
}

/// Goes on being the runner; false: somebody else is.
pub(crate) fn keep_lease(tx: &mut Tx<'_>, of: Of, epoch: i64, until: Timestamp) -> Result<bool> {
    let sql = "UPDATE sync_configs SET lease_until = ?4 WHERE tenant_id = ?1 AND id = ?2 AND epoch = ?3 AND runner IS NOT NULL";
    Ok(tx.exec(sql, &[of.tenant.into(), of.sync.into(), epoch.into(), until.into()])? == 1)
}

/// Whether a runner is still the one.
pub(crate) fn has_lease(tx: &mut Tx<'_>, of: Of, epoch: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM sync_configs WHERE tenant_id = ?1 AND id = ?2 AND epoch = ?3 AND runner IS NOT NULL";
    Ok(tx.query_opt(sql, &[of.tenant.into(), of.sync.into(), epoch.into()], |_| Ok(()))?.is_some())
}

/// Stops being the runner.
pub(crate) fn give_back(tx: &mut Tx<'_>, of: Of, epoch: i64) -> Result<()> {
    let sql = "UPDATE sync_configs SET runner = NULL, lease_until = 0 WHERE tenant_id = ?1 AND id = ?2 AND epoch = ?3";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), epoch.into()]).map(drop)
}

/// The number of a sync's next run.
pub(crate) fn next_number(tx: &mut Tx<'_>, of: Of) -> Result<i64> {
    let sql = "UPDATE sync_configs SET runs = runs + 1 WHERE tenant_id = ?1 AND id = ?2 RETURNING runs";
    tx.query_opt(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))?.ok_or_else(|| Error::not_found("sync"))
}

/// Since when the next incremental run asks the vendor.
pub(crate) fn set_cursor(tx: &mut Tx<'_>, of: Of, cursor: Option<&str>) -> Result<()> {
    let sql = "UPDATE sync_configs SET cursor = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), cursor.map(str::to_owned).into()]).map(drop)
}

/// Since when the next run asks for deletions.
pub(crate) fn set_deleted_cursor(tx: &mut Tx<'_>, of: Of, cursor: Option<&str>) -> Result<()> {
    let sql = "UPDATE sync_configs SET deleted_cursor = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), cursor.map(str::to_owned).into()]).map(drop)
}

/// When everything is compared the next time.
pub(crate) fn set_full_at(tx: &mut Tx<'_>, of: Of, at: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE sync_configs SET full_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), at.into()]).map(drop)
}

/// What the vendor was asked to call us by.
pub(crate) fn set_watch(tx: &mut Tx<'_>, of: Of, id: &str, until: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE sync_configs SET watch_id = ?3, watch_until = ?4 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), id.into(), until.into()]).map(drop)
}

/// The vendor is to call no more.
pub(crate) fn clear_watch(tx: &mut Tx<'_>, of: Of) -> Result<()> {
    let sql = "UPDATE sync_configs SET watch_id = NULL, watch_until = NULL WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into()]).map(drop)
}

/// How a run ended.
pub(crate) fn set_last(tx: &mut Tx<'_>, of: Of, run: SyncRunId, state: State, error: Option<&str>) -> Result<()> {
    let now = tx.now();
    let sql =
        "UPDATE sync_configs SET last_run_id = ?3, last_sync_at = ?4, last_status = ?5, last_error = ?6 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), run.into(), now.into(), state.text().into(), error.map(str::to_owned).into()])
        .map(drop)
}
