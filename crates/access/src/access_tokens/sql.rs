//! Every statement on `access_tokens` but that of authentication.

use kernel::{ClientId, GrantId, Result, Timestamp};
use store::Tx;

use super::NewToken;

/// False: there is one with this id.
pub(super) fn insert(tx: &mut Tx<'_>, token: &NewToken, key_id: &str, hash: &[u8; 32]) -> Result<bool> {
    let now = tx.now();
    let inserted = tx.exec(
        "INSERT INTO access_tokens (key_id, tenant_id, client_id, user_id, grant_id, hash, scope, resource, jkt, actor, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (key_id) DO NOTHING",
        &[
            key_id.into(),
            token.tenant.into(),
            token.client.into(),
            token.user.into(),
            token.grant.into(),
            hash.to_vec().into(),
            token.scope.as_str().into(),
            token.resource.clone().into(),
            token.jkt.clone().into(),
            token.actor.clone().into(),
            now.into(),
            token.expires_at.into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Under a system scope: the token says whose it is.
pub(super) fn delete(tx: &mut Tx<'_>, client: ClientId, key_id: &str, hash: &[u8; 32]) -> Result<bool> {
    let sql = "DELETE FROM access_tokens WHERE key_id = ?1 AND hash = ?2 AND client_id = ?3";
    Ok(tx.exec(sql, &[key_id.into(), hash.to_vec().into(), client.into()])? > 0)
}

/// A grant is of one tenant.
pub(super) fn delete_of_grant(tx: &mut Tx<'_>, grant: GrantId) -> Result<()> {
    tx.exec("DELETE FROM access_tokens WHERE grant_id = ?1", &[grant.into()])?;
    Ok(())
}

pub(super) fn delete_ended(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM access_tokens WHERE key_id IN \
         (SELECT key_id FROM access_tokens WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}
