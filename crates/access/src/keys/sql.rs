//! Every statement on `api_keys` but those of authentication.

use kernel::{ClientId, Error, IdRef, KeyId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::{Environment, KeyStatus, Stored};
use crate::clients;
use crate::clients::sql::{json, parse};

const COLUMNS: &str = "id, tenant_id, client_id, shown_id, mask, name, status, scopes, environment, expires_at, last_used_at, request_count, \
     allowed_ips, allowed_endpoints, rate_limit_override, rotation_frequency_days, notes, created_at, updated_at, monthly_quota, \
     metadata, lineage_id, rotated_from, rotated_to, lifetime_days, leaked_at, extend_until, expiry_told, rotation_told, \
     disabled_by_operator";

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
        quota: row.get::<Option<String>>(19)?.map(|text| parse(&text)).transpose()?,
        metadata: parse(&row.get::<String>(20)?)?,
        lineage: row.get(21)?,
        rotated_from: row.get(22)?,
        rotated_to: row.get(23)?,
        lifetime_days: row.get(24)?,
        leaked_at: row.get(25)?,
        extend_until: row.get(26)?,
        expiry_told: u8::try_from(row.get::<u32>(27)?).unwrap_or(u8::MAX),
        rotation_told: row.get(28)?,
        disabled_by_operator: row.get(29)?,
    })
}

/// What only the table knows of a key.
pub(super) struct Hidden {
    pub(super) key_id: String,
    pub(super) hash: [u8; 32],
    pub(super) secret_hash: Option<[u8; 32]>,
    /// Keyed hash of the token's SHA-256.
    pub(super) fingerprint: String,
    /// The sealed secrets of a successor that nobody has seen yet.
    pub(super) waiting: Option<Vec<u8>>,
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
        json(&key.metadata)?,
        key.rotated_to.into(),
        key.leaked_at.into(),
        key.extend_until.into(),
        u32::from(key.expiry_told).into(),
        key.rotation_told.into(),
        super::reminders::next(key).into(),
        key.lifetime_days.into(),
        key.quota.as_ref().map(json).transpose()?.into(),
        key.disabled_by_operator.into(),
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
        hidden.fingerprint.as_str().into(),
        hidden.waiting.clone().into(),
        key.lineage.into(),
        key.rotated_from.into(),
    ]);
    tx.exec(
        "INSERT INTO api_keys (tenant_id, id, name, status, scopes, expires_at, allowed_ips, allowed_endpoints, rate_limit_override, \
         rotation_frequency_days, notes, updated_at, metadata, rotated_to, leaked_at, extend_until, expiry_told, rotation_told, remind_at, \
         lifetime_days, monthly_quota, disabled_by_operator, client_id, shown_id, mask, environment, created_at, key_id, hash, secret_hash, fingerprint, waiting, lineage_id, \
         rotated_from, request_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, 0)",
        &values,
    )?;
    Ok(())
}

pub(crate) fn update(tx: &mut Tx<'_>, key: &Stored) -> Result<()> {
    tx.exec(
        "UPDATE api_keys SET name = ?3, status = ?4, scopes = ?5, expires_at = ?6, allowed_ips = ?7, allowed_endpoints = ?8, \
         rate_limit_override = ?9, rotation_frequency_days = ?10, notes = ?11, updated_at = ?12, metadata = ?13, rotated_to = ?14, \
         leaked_at = ?15, extend_until = ?16, expiry_told = ?17, rotation_told = ?18, remind_at = ?19, \
         lifetime_days = ?20, monthly_quota = ?21, disabled_by_operator = ?22 WHERE tenant_id = ?1 AND id = ?2",
        &values(key)?,
    )?;
    Ok(())
}

/// A key with its client. Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<(Stored, clients::Stored)> {
    let key = find(tx, tenant, id)?;
    let client = clients::sql::get(tx, tenant, &IdRef::Id(key.client))?;
    Ok((key, client))
}

/// The same for a change: on PostgreSQL the client's row, and with it every key of the client, waits until the transaction ends.
pub(crate) fn hold(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<(Stored, clients::Stored)> {
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

/// Keys of any tenant that someone must be told of by `now`, those first that have waited longest. For work across tenants.
pub(super) fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE remind_at <= ?1 ORDER BY remind_at, id LIMIT ?2");
    tx.query(&sql, &[now.into(), limit.into()], read)
}

/// The key whose token has this fingerprint, whosever it is. For work across tenants.
pub(crate) fn by_fingerprint(tx: &mut Tx<'_>, fingerprint: &str) -> Result<Option<(TenantId, KeyId)>> {
    let sql = "SELECT tenant_id, id FROM api_keys WHERE fingerprint = ?1";
    tx.query_opt(sql, &[fingerprint.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whether some key has this look-up key already.
pub(super) fn is_taken(tx: &mut Tx<'_>, key_id: &str, fingerprint: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM api_keys WHERE key_id = ?1 OR fingerprint = ?2";
    Ok(tx.query_opt(sql, &[key_id.into(), fingerprint.into()], |_| Ok(()))?.is_some())
}

/// Takes out what waits in a key: none, if nothing does.
pub(super) fn take_waiting(tx: &mut Tx<'_>, tenant: TenantId, id: KeyId) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT waiting FROM api_keys WHERE tenant_id = ?1 AND id = ?2";
    let found = tx.query_opt(sql, &[tenant.into(), id.into()], |row| row.get::<Option<Vec<u8>>>(0))?.flatten();
    if found.is_some() {
        tx.exec("UPDATE api_keys SET waiting = NULL WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
    }
    Ok(found)
}
