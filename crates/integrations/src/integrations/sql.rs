//! Every statement on `integrations`.

use kernel::{Error, IntegrationId, Result, TenantId, Timestamp};
use store::{Tx, Value};

use super::{Row, Status};

const COLUMNS: &str = "id, tenant_id, connector, name, notes, environment, enabled, config, credential_names, oauth_token_id, account, status, \
                       status_reason, status_at, last_sync_at, created_at, updated_at";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        tenant: row.get(1)?,
        connector: row.get(2)?,
        name: row.get(3)?,
        notes: row.get(4)?,
        environment: row.get(5)?,
        enabled: row.get(6)?,
        config: serde_json::from_str(&row.get::<String>(7)?).map_err(Error::internal)?,
        credential_names: serde_json::from_str(&row.get::<String>(8)?).map_err(Error::internal)?,
        token: row.get(9)?,
        account: row.get(10)?,
        status: row.get::<String>(11)?.parse()?,
        status_reason: row.get(12)?,
        status_at: row.get(13)?,
        last_sync_at: row.get(14)?,
        created_at: row.get(15)?,
        updated_at: row.get(16)?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(Error::internal)
}

/// What may change, in the order of both statements below.
fn changeable(row: &Row) -> Result<[Value; 12]> {
    Ok([
        row.name.clone().into(),
        row.notes.clone().into(),
        row.environment.clone().into(),
        row.enabled.into(),
        json(&row.config)?,
        json(&row.credential_names)?,
        row.token.into(),
        row.account.clone().into(),
        row.status.as_str().into(),
        row.status_reason.clone().into(),
        row.status_at.into(),
        row.updated_at.into(),
    ])
}

pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row, credentials: Option<Vec<u8>>, inbound: Vec<u8>) -> Result<()> {
    let mut values: Vec<Value> = vec![row.tenant.into(), row.id.into()];
    values.extend(changeable(row)?);
    values.extend([row.connector.clone().into(), credentials.into(), inbound.into(), row.created_at.into()]);
    tx.exec(
        "INSERT INTO integrations (tenant_id, id, name, notes, environment, enabled, config, credential_names, oauth_token_id, account, status, \
         status_reason, status_at, updated_at, connector, credentials, inbound, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        &values,
    )?;
    Ok(())
}

pub(crate) fn update(tx: &mut Tx<'_>, row: &Row) -> Result<()> {
    let mut values: Vec<Value> = vec![row.tenant.into(), row.id.into()];
    values.extend(changeable(row)?);
    tx.exec(
        "UPDATE integrations SET name = ?3, notes = ?4, environment = ?5, enabled = ?6, config = ?7, credential_names = ?8, oauth_token_id = ?9, \
         account = ?10, status = ?11, status_reason = ?12, status_at = ?13, updated_at = ?14 WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )?;
    Ok(())
}

pub(crate) fn set_credentials(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, sealed: Option<Vec<u8>>) -> Result<()> {
    let sql = "UPDATE integrations SET credentials = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), sealed.into()]).map(drop)
}

pub(crate) fn set_status(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: IntegrationId,
    status: Status,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<u64> {
    tx.exec(
        "UPDATE integrations SET status = ?3, status_reason = ?4, status_at = ?5 WHERE tenant_id = ?1 AND id = ?2 AND status <> ?3",
        &[tenant.into(), id.into(), status.as_str().into(), reason.map(str::to_owned).into(), at.into()],
    )
}

pub(crate) fn set_account(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, account: &str) -> Result<u64> {
    let sql = "UPDATE integrations SET account = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), account.into()])
}

pub(crate) fn set_synced(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, at: Timestamp) -> Result<u64> {
    let sql = "UPDATE integrations SET last_sync_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), at.into()])
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM integrations WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// What is sealed: credentials, and the secret of the address.
type SealedPair = (Option<Vec<u8>>, Vec<u8>);

/// What is sealed of an integration.
pub(crate) fn sealed(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<Option<SealedPair>> {
    let sql = "SELECT credentials, inbound FROM integrations WHERE tenant_id = ?1 AND id = ?2";
    tx.query_opt(sql, &[tenant.into(), id.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Any tenant's: a vendor's call names the integration only.
pub(crate) fn find(tx: &mut Tx<'_>, id: IntegrationId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM integrations WHERE id = ?1");
    tx.query_opt(&sql, &[id.into()], read)
}

/// All tenants' integrations of an account: one address of the app serves them all. At most 1000.
pub(crate) fn of_account(tx: &mut Tx<'_>, connector: &str, account: &str) -> Result<Vec<(TenantId, IntegrationId)>> {
    let sql = "SELECT tenant_id, id FROM integrations WHERE connector = ?1 AND account = ?2 AND enabled = 1 ORDER BY id LIMIT 1000";
    tx.query(sql, &[connector.into(), account.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The newest first, after `before`; of one connector, if it is named.
pub(crate) fn list(tx: &mut Tx<'_>, tenant: TenantId, connector: Option<&str>, before: &str, limit: u32, offset: u64) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM integrations WHERE tenant_id = ?1 AND id < ?2 AND (CAST(?5 AS TEXT) IS NULL OR connector = ?5) \
         ORDER BY id DESC LIMIT ?3 OFFSET ?4"
    );
    tx.query(&sql, &[tenant.into(), before.into(), limit.into(), offset.into(), connector.map(str::to_owned).into()], read)
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId, connector: Option<&str>) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM integrations WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR connector = ?2)";
    tx.query_one(sql, &[tenant.into(), connector.map(str::to_owned).into()], |row| row.get(0))
}

/// Whether anybody's integration is of this connector; for the operator.
pub(crate) fn uses_connector(tx: &mut Tx<'_>, connector: &str) -> Result<bool> {
    Ok(tx.query_opt("SELECT 1 FROM integrations WHERE connector = ?1 LIMIT 1", &[connector.into()], |_| Ok(()))?.is_some())
}

pub(crate) fn ids(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<IntegrationId>> {
    tx.query("SELECT id FROM integrations WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

/// The integration and what hangs on it.
pub(crate) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId) -> Result<u64> {
    for sql in [
        "DELETE FROM integration_schemas WHERE tenant_id = ?1 AND integration_id = ?2",
        "DELETE FROM integration_calls WHERE tenant_id = ?1 AND integration_id = ?2",
        "DELETE FROM integration_hours WHERE tenant_id = ?1 AND integration_id = ?2",
    ] {
        tx.exec(sql, &[tenant.into(), id.into()])?;
    }
    tx.exec("DELETE FROM integrations WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    for sql in [
        "DELETE FROM integration_schemas WHERE tenant_id = ?1",
        "DELETE FROM integration_calls WHERE tenant_id = ?1",
        "DELETE FROM integration_hours WHERE tenant_id = ?1",
        "DELETE FROM integration_budgets WHERE tenant_id = ?1",
        "DELETE FROM tenant_connectors WHERE tenant_id = ?1",
        "DELETE FROM integrations WHERE tenant_id = ?1",
    ] {
        tx.exec(sql, &[tenant.into()])?;
    }
    Ok(())
}
