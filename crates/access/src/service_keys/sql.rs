//! Every statement on `service_keys` but that of authentication. The operator's table.

use kernel::{Error, Result, ServiceKeyId, Timestamp};
use store::{Row, Tx};

use super::ServiceKey;
use crate::clients::sql::{json, parse};

const COLUMNS: &str = "id, mask, name, bound_tenant, permissions, status, expires_at, created_at";

fn read(row: &Row<'_>, now: Timestamp) -> Result<ServiceKey> {
    let (status, expires_at): (String, Option<Timestamp>) = (row.get(5)?, row.get(6)?);
    let expired = status == "active" && expires_at.is_some_and(|end| end <= now);
    Ok(ServiceKey {
        id: row.get(0)?,
        mask: row.get(1)?,
        name: row.get(2)?,
        tenant: row.get(3)?,
        permissions: row.get::<Option<String>>(4)?.map(|text| parse(&text)).transpose()?,
        status: if expired { "expired".to_owned() } else { status },
        expires_at,
        created_at: row.get(7)?,
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, key: &ServiceKey, key_id: &str, hash: [u8; 32]) -> Result<()> {
    tx.exec(
        "INSERT INTO service_keys (id, key_id, mask, hash, name, bound_tenant, permissions, status, expires_at, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', ?8, ?9, ?9)",
        &[
            key.id.into(),
            key_id.into(),
            key.mask.as_str().into(),
            hash.to_vec().into(),
            key.name.as_str().into(),
            key.tenant.into(),
            key.permissions.as_ref().map(json).transpose()?.into(),
            key.expires_at.into(),
            key.created_at.into(),
        ],
    )?;
    Ok(())
}

/// Oldest first.
pub(super) fn list(tx: &mut Tx<'_>) -> Result<Vec<ServiceKey>> {
    let now = tx.now();
    tx.query(&format!("SELECT {COLUMNS} FROM service_keys ORDER BY id"), &[], |row| read(row, now))
}

/// By `svc_…`, by the shown beginning `tws_live_<keyId>`, or by the key id alone. Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, name: &str) -> Result<ServiceKey> {
    let now = tx.now();
    let sql = format!("SELECT {COLUMNS} FROM service_keys WHERE id = ?1 OR key_id = ?2");
    let key_id = name.strip_prefix("tws_live_").unwrap_or(name);
    // Someone may paste the whole key: its id is in it.
    let key_id = key_id.split('_').next().unwrap_or(key_id);
    tx.query_opt(&sql, &[name.into(), key_id.into()], |row| read(row, now))?.ok_or_else(|| Error::not_found("service key"))
}

pub(crate) fn revoke(tx: &mut Tx<'_>, id: ServiceKeyId) -> Result<()> {
    let now = tx.now();
    tx.exec("UPDATE service_keys SET status = 'revoked', updated_at = ?2 WHERE id = ?1", &[id.into(), now.into()])?;
    Ok(())
}

pub(crate) fn expire_at(tx: &mut Tx<'_>, id: ServiceKeyId, end: Timestamp) -> Result<()> {
    let now = tx.now();
    tx.exec("UPDATE service_keys SET expires_at = ?2, updated_at = ?3 WHERE id = ?1", &[id.into(), end.into(), now.into()])?;
    Ok(())
}
