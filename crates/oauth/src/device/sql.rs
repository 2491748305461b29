//! Every statement on `oauth_devices`. Nobody's rows: a request is found by whoever has one of its codes.

use access::access_tokens::ReadHandle;
use kernel::{ClientId, Error, GrantId, Result, TenantId, Timestamp, UserId};
use store::{Row, Tx};

use super::{Status, Waiting};
use crate::grants::SignIn;
use crate::grants::sql::methods;
use crate::scope::split;

/// A request to be stored.
pub(super) struct New {
    pub(super) key_id: String,
    pub(super) client: ClientId,
    pub(super) hash: [u8; 32],
    pub(super) user_hash: [u8; 32],
    pub(super) scope: String,
    pub(super) resource: Option<String>,
    pub(super) interval_ms: i64,
    pub(super) expires_at: Timestamp,
}

/// What a person allowed.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) grant: GrantId,
    pub(super) granted: String,
    pub(super) sign_in: SignIn,
}

const COLUMNS: &str = "key_id, client_id, scope, resource, status, interval_ms, polled_at, expires_at";

/// Whether its code was free.
pub(super) fn insert(tx: &mut Tx<'_>, new: &New) -> Result<bool> {
    let made = tx.exec(
        "INSERT INTO oauth_devices (key_id, client_id, hash, user_hash, scope, resource, status, interval_ms, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (user_hash) DO NOTHING",
        &[
            new.key_id.as_str().into(),
            new.client.into(),
            new.hash.to_vec().into(),
            new.user_hash.to_vec().into(),
            new.scope.as_str().into(),
            new.resource.clone().into(),
            Status::Pending.as_str().into(),
            new.interval_ms.into(),
            tx.now().into(),
            new.expires_at.into(),
        ],
    )?;
    Ok(made > 0)
}

fn read(row: &Row<'_>) -> Result<Waiting> {
    Ok(Waiting {
        key_id: row.get(0)?,
        client: row.get(1)?,
        scope: row.get(2)?,
        resource: row.get(3)?,
        status: Status::read(&row.get::<String>(4)?),
        interval_ms: row.get(5)?,
        polled_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}

/// The request of a device code, whatever its time.
pub(super) fn shown(tx: &mut Tx<'_>, shown: &ReadHandle) -> Result<Option<Waiting>> {
    let sql = format!("SELECT {COLUMNS}, hash FROM oauth_devices WHERE key_id = ?1");
    let found = tx.query_opt(&sql, &[shown.key_id.as_str().into()], |row| Ok((read(row)?, row.get::<Vec<u8>>(8)?)))?;
    Ok(found.filter(|(_, hash)| shown.proves(hash)).map(|(waiting, _)| waiting))
}

/// The request of a code that a person typed.
pub(super) fn typed(tx: &mut Tx<'_>, user_hash: &[u8; 32]) -> Result<Option<Waiting>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_devices WHERE user_hash = ?1");
    tx.query_opt(&sql, &[user_hash.to_vec().into()], read)
}

pub(super) fn polled(tx: &mut Tx<'_>, key_id: &str, interval_ms: i64) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE oauth_devices SET polled_at = ?2, interval_ms = ?3 WHERE key_id = ?1",
        &[key_id.into(), now.into(), interval_ms.into()],
    )?;
    Ok(())
}

/// Writes what a person allowed, if nobody has answered yet; whether that was so.
pub(super) fn approve(tx: &mut Tx<'_>, key_id: &str, answer: &Answer) -> Result<bool> {
    let done = tx.exec(
        "UPDATE oauth_devices SET status = 'approved', granted_tenant = ?2, user_id = ?3, grant_id = ?4, granted = ?5, authenticated_at = ?6, \
         methods = ?7 WHERE key_id = ?1 AND status = 'pending'",
        &[
            key_id.into(),
            answer.tenant.into(),
            answer.user.into(),
            answer.grant.into(),
            answer.granted.as_str().into(),
            answer.sign_in.at.into(),
            methods(&answer.sign_in.methods).into(),
        ],
    )?;
    Ok(done > 0)
}

/// Writes that a person said no, if nobody has answered yet; whether that was so.
pub(super) fn deny(tx: &mut Tx<'_>, key_id: &str) -> Result<bool> {
    Ok(tx.exec("UPDATE oauth_devices SET status = 'denied' WHERE key_id = ?1 AND status = 'pending'", &[key_id.into()])? > 0)
}

/// What a person allowed in a tenant, one application or all, and the device has not fetched yet, is refused after all.
pub(crate) fn take_back(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: Option<ClientId>) -> Result<()> {
    let sql = "UPDATE oauth_devices SET status = 'denied' WHERE granted_tenant = ?1 AND user_id = ?2 AND status = 'approved' \
               AND (CAST(?3 AS TEXT) IS NULL OR client_id = ?3)";
    tx.exec(sql, &[tenant.into(), user.into(), client.into()])?;
    Ok(())
}

/// Takes a request out that was allowed; what was allowed.
pub(super) fn take(tx: &mut Tx<'_>, key_id: &str) -> Result<Option<Answer>> {
    let sql = "DELETE FROM oauth_devices WHERE key_id = ?1 AND status = 'approved' \
               RETURNING granted_tenant, user_id, grant_id, granted, authenticated_at, methods";
    let lost = || Error::internal("a device's request was allowed without saying what");
    tx.query_opt(sql, &[key_id.into()], |row| {
        Ok(Answer {
            tenant: row.get::<Option<TenantId>>(0)?.ok_or_else(lost)?,
            user: row.get::<Option<UserId>>(1)?.ok_or_else(lost)?,
            grant: row.get::<Option<GrantId>>(2)?.ok_or_else(lost)?,
            granted: row.get::<Option<String>>(3)?.unwrap_or_default(),
            sign_in: SignIn {
                at: row.get::<Option<Timestamp>>(4)?.ok_or_else(lost)?,
                methods: split(&row.get::<Option<String>>(5)?.unwrap_or_default()),
                nonce: None,
            },
        })
    })
}

/// Removes requests that ended before `before`, a few at a time; how many.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM oauth_devices WHERE key_id IN \
         (SELECT key_id FROM oauth_devices WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}
