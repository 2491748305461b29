//! Every statement on `api_keys` but those of authentication.

use kernel::{ClientId, Error, IdRef, KeyId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::{Environment, KeyStatus, Stored};
use crate::clients;
use crate::clients::sql::{json, parse};

const COLUMNS: &str = "id, tenant_id, client_id, shown_id, mask, name, status, scopes, environment, expires_at, last_used_at, request_count, \
     allowed_ips, allowed_endpoints, rate_limit_override, rotation_frequency_days, notes, created_at, updated_at";

fn read(row: &Row<'_>) -> Result<Stored> {
    let list = |text: String| parse::<Vec<String>>(&text);
    Ok(Stored {
        id: row.get(0)?,
        tenant: row.get(1)?,
        client: row.get(2)?,
        shown_id: row.get(3)?,
        mask: row.get(4)?,
        name: row.get(5)?,
        status: KeyStatus::read(&row.get::<String>(6)?),
        scopes: row.get::<Option<String>>(7)?.map(list).transpose()?,
        environment: Environment::read(&row.get::<String>(8)?),
        expires_at: row.get(9)?,
        last_used_at: row.get(10)?,
        request_count: row.get(11)?,
        allowed_ips: list(row.get(12)?)?,
        allowed_endpoints: list(row.get(13)?)?,
        limits: row.get::<Option<String>>(14)?.map(|text| parse(&text)).transpose()?,
        rotation_frequency_days: row.get(15)?,
        notes: row.get(16)?,
        created_at: row.get(17)?,
        updated_at: row.get(18)?,
    })
}

/// What only the table knows of a key.
pub(super) struct Hidden {
    pub(super) key_id: String,
    pub(super) hash: [u8; 32],
    pub(super) secret_hash: Option<[u8; 32]>,
}

fn values(key: &Stored) -> Result<Vec<Value>> {
    Ok(vec![
        key.tenant.into(),
        key.id.into(),
        key.name.as_str().into(),
        key.status.as_str().into(),
        key.scopes.as_ref().map(json).transpose()?.into(),
        key.expires_at.into(),
        json(&key.allowed_ips)?,
        json(&key.allowed_endpoints)?,
        key.limits.as_ref().map(json).transpose()?.into(),
        key.rotation_frequency_days.into(),
        key.notes.clone().into(),
        key.updated_at.into(),
    ])
}

pub(super) fn insert(tx: &mut Tx<'_>, key: &Stored, hidden: &Hidden) -> Result<()> {
    let mut values = values(key)?;
    values.extend([
        key.client.into(),
        key.shown_id.as_str().into(),
        key.mask.as_str().into(),
        key.environment.as_str().into(),
        key.created_at.into(),
        hidden.key_id.as_str().into(),
        hidden.hash.to_vec().into(),
        hidden.secret_hash.map(|hash| hash.to_vec()).into(),
    ]);
    tx.exec(
        "INSERT INTO api_keys (tenant_id, id, name, status, scopes, expires_at, allowed_ips, allowed_endpoints, rate_limit_override, \
         rotation_frequency_days, notes, updated_at, client_id, shown_id, mask, environment, created_at, key_id, hash, secret_hash, request_count) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, 0)",
        &values,
    )?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, key: &Stored) -> Result<()> {
    tx.exec(
        "UPDATE api_keys SET name = ?3, status = ?4, scopes = ?5, expires_at = ?6, allowed_ips = ?7, allowed_endpoints = ?8, \
         rate_limit_override = ?9, rotation_frequency_days = ?10, notes = ?11, updated_at = ?12 WHERE tenant_id = ?1 AND id = ?2",
        &values(key)?,
    )?;
    Ok(())
}

/// A key with its client. Error: 404.
pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<(Stored, clients::Stored)> {
    let key = find(tx, tenant, id)?;
    let client = clients::sql::get(tx, tenant, &IdRef::Id(key.client))?;
    Ok((key, client))
}

/// The same for a change: on PostgreSQL the client's row, and with it every key of the client, waits until the transaction ends.
pub(super) fn hold(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<(Stored, clients::Stored)> {
    let client = find(tx, tenant, id)?.client;
    let client = clients::sql::hold(tx, tenant, &IdRef::Id(client)).map_err(|_| Error::not_found("key"))?;
    Ok((find(tx, tenant, id)?, client))
}

fn find(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<Stored> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)?.ok_or_else(|| Error::not_found("key"))
}

/// Newest first.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, before: &str, limit: u32, offset: u64) -> Result<Vec<Stored>> {
    let sql =
        format!("SELECT {COLUMNS} FROM api_keys WHERE tenant_id = ?1 AND client_id = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4 OFFSET ?5");
    tx.query(&sql, &[tenant.into(), client.into(), before.into(), limit.into(), offset.into()], read)
}

pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM api_keys WHERE tenant_id = ?1 AND client_id = ?2";
    tx.query_one(sql, &[tenant.into(), client.into()], |row| row.get(0))
}

pub(super) fn revoke(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE api_keys SET status = 'revoked', updated_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), now.into()])?;
    Ok(())
}

/// Lets a replaced key live until `end`, if it did not end before.
pub(super) fn shorten(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId, end: Timestamp, now: Timestamp) -> Result<()> {
    let sql = "UPDATE api_keys SET expires_at = CASE WHEN expires_at IS NULL OR expires_at > CAST(?3 AS BIGINT) THEN CAST(?3 AS BIGINT) \
         ELSE expires_at END, updated_at = ?4 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), end.into(), now.into()])?;
    Ok(())
}
