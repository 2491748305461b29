//! Every statement on `sources`.

use kernel::{Error, Result, SourceId, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Tx, Value};

use super::{Row, Secrets};

const COLUMNS: &str = "id, provider, name, description, enabled, events, filter, settings, response, created_at, updated_at, tenant_id";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        provider: row.get::<String>(1)?.parse()?,
        name: row.get(2)?,
        description: row.get(3)?,
        enabled: row.get(4)?,
        events: parse(&row.get::<String>(5)?)?,
        filter: row.get(6)?,
        settings: parse(&row.get::<String>(7)?)?,
        response: row.get::<Option<String>>(8)?.map(|text| parse(&text)).transpose()?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(Error::internal)
}

/// What an update may change, with the secrets sealed.
fn changeable(tx: &Tx<'_>, row: &Row, secrets: &Secrets) -> Result<[Value; 9]> {
    Ok([
        row.name.clone().into(),
        row.description.clone().into(),
        row.enabled.into(),
        json(&row.events)?,
        row.filter.as_ref().into(),
        json(&row.settings)?,
        row.response.as_ref().map(json).transpose()?.into(),
        secrets.seal(tx.sealer(), row.id)?.into(),
        row.updated_at.into(),
    ])
}

pub(crate) fn insert(tx: &mut Tx<'_>, tenant: TenantId, row: &Row, secrets: &Secrets) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), row.id.into()];
    values.extend(changeable(tx, row, secrets)?);
    values.extend([row.provider.as_str().into(), row.created_at.into()]);
    tx.exec(
        "INSERT INTO sources (tenant_id, id, name, description, enabled, events, filter, settings, response, secrets, updated_at, provider, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &values,
    )?;
    Ok(())
}

pub(crate) fn update(tx: &mut Tx<'_>, tenant: TenantId, row: &Row, secrets: &Secrets) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), row.id.into()];
    values.extend(changeable(tx, row, secrets)?);
    tx.exec(
        "UPDATE sources SET name = ?3, description = ?4, enabled = ?5, events = ?6, filter = ?7, settings = ?8, response = ?9, secrets = ?10, \
         updated_at = ?11 WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )?;
    Ok(())
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM sources WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// Any tenant's, with its tenant: a call names the source only.
pub(crate) fn find(tx: &mut Tx<'_>, id: SourceId) -> Result<Option<(TenantId, Row)>> {
    let sql = format!("SELECT {COLUMNS} FROM sources WHERE id = ?1");
    tx.query_opt(&sql, &[id.into()], |row| Ok((row.get(11)?, read(row)?)))
}

/// The secrets of a source that exists, opened.
pub(crate) fn secrets(tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<Secrets> {
    let sql = "SELECT secrets FROM sources WHERE tenant_id = ?1 AND id = ?2";
    let sealed: Vec<u8> = tx.query_one(sql, &[tenant.into(), id.into()], |row| row.get(0))?;
    Secrets::open(tx.sealer(), id, &sealed)
}

pub(crate) fn is_enabled(tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<bool> {
    let sql = "SELECT 1 FROM sources WHERE tenant_id = ?1 AND id = ?2 AND enabled = 1";
    Ok(tx.query_opt(sql, &[tenant.into(), id.into()], |_| Ok(()))?.is_some())
}

/// The newest first, after `before`.
pub(crate) fn list(tx: &mut Tx<'_>, tenant: TenantId, before: &str, limit: u32, offset: u64) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM sources WHERE tenant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?4");
    tx.query(&sql, &[tenant.into(), before.into(), limit.into(), offset.into()], read)
}

pub(crate) fn ids(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<SourceId>> {
    tx.query("SELECT id FROM sources WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId) -> Result<u64> {
    tx.query_one("SELECT COUNT(*) FROM sources WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

pub(crate) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<u64> {
    tx.exec("DELETE FROM sources WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM sources WHERE tenant_id = ?1", &[tenant.into()]).map(|_| ())
}
