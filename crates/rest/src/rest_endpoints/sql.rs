//! Every statement on `rest_endpoints`.

use kernel::{Error, RestEndpointId, Result, TenantId};
use store::Tx;

use super::endpoint::{RestMethod, Row};

const COLUMNS: &str = "id, method, definition, created_at";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        method: method(&row.get::<String>(1)?)?,
        definition: serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?,
        created_at: row.get(3)?,
    })
}

fn method(text: &str) -> Result<RestMethod> {
    serde_json::from_value(text.into()).map_err(Error::internal)
}

/// False: the tenant has an endpoint of this method and shape.
pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, shape: &str, row: &Row) -> Result<bool> {
    let definition = serde_json::to_string(&row.definition).map_err(Error::internal)?;
    let inserted = tx.exec(
        "INSERT INTO rest_endpoints (id, tenant_id, method, shape, definition, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (tenant_id, method, shape) DO NOTHING",
        &[row.id.into(), tenant.into(), row.method.as_str().into(), shape.into(), definition.into(), row.created_at.into()],
    )?;
    Ok(inserted == 1)
}

pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: RestEndpointId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM rest_endpoints WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// The newest first, after `before`.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, before: &str, limit: u32, offset: u64) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM rest_endpoints WHERE tenant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?4");
    tx.query(&sql, &[tenant.into(), before.into(), limit.into(), offset.into()], read)
}

/// All of a tenant's, of which there are at most [`super::MAX_PER_TENANT`].
pub(super) fn all(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<Row>> {
    tx.query(&format!("SELECT {COLUMNS} FROM rest_endpoints WHERE tenant_id = ?1"), &[tenant.into()], read)
}

pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    tx.query_one("SELECT COUNT(*) FROM rest_endpoints WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

/// How much a tenant's endpoints say, in characters.
pub(super) fn size(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    let sql = "SELECT CAST(COALESCE(SUM(LENGTH(definition)), 0) AS BIGINT) FROM rest_endpoints WHERE tenant_id = ?1";
    tx.query_one(sql, &[tenant.into()], |row| row.get(0))
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: RestEndpointId) -> Result<u64> {
    tx.exec("DELETE FROM rest_endpoints WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])
}

pub(super) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    tx.exec("DELETE FROM rest_endpoints WHERE tenant_id = ?1", &[tenant.into()])
}
