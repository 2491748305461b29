//! Every statement on `oauth_codes`.

use access::access_tokens::ReadHandle;
use kernel::{ClientId, Result, TenantId, Timestamp, UserId};
use store::Tx;

use super::Code;
use crate::grants::sql::{methods, sign_in};

pub(crate) fn insert(tx: &mut Tx<'_>, code: &Code, hash: &[u8; 32]) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO oauth_codes (key_id, tenant_id, client_id, user_id, grant_id, hash, scope, redirect_uri, code_challenge, resource, jkt, \
         nonce, authenticated_at, methods, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        &[
            code.key_id.as_str().into(),
            code.tenant.into(),
            code.client.into(),
            code.user.into(),
            code.grant.into(),
            hash.to_vec().into(),
            code.scope.as_str().into(),
            code.redirect_uri.as_str().into(),
            code.challenge.as_str().into(),
            code.resource.clone().into(),
            code.jkt.clone().into(),
            code.sign_in.nonce.clone().into(),
            code.sign_in.at.into(),
            methods(&code.sign_in.methods).into(),
            now.into(),
            code.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// The code that is shown, and whether it was redeemed. Under a system scope: the code says whose it is.
pub(super) fn shown(tx: &mut Tx<'_>, shown: &ReadHandle) -> Result<Option<(Code, bool)>> {
    let found = tx.query_opt(
        "SELECT key_id, tenant_id, client_id, user_id, grant_id, scope, redirect_uri, code_challenge, resource, jkt, nonce, authenticated_at, \
         methods, expires_at, redeemed_at, hash FROM oauth_codes WHERE key_id = ?1",
        &[shown.key_id.as_str().into()],
        |row| {
            let code = Code {
                key_id: row.get(0)?,
                tenant: row.get(1)?,
                client: row.get(2)?,
                user: row.get(3)?,
                grant: row.get(4)?,
                scope: row.get(5)?,
                redirect_uri: row.get(6)?,
                challenge: row.get(7)?,
                resource: row.get(8)?,
                jkt: row.get(9)?,
                sign_in: sign_in(row, 10)?,
                expires_at: row.get(13)?,
            };
            Ok((code, row.get::<Option<Timestamp>>(14)?.is_some(), row.get::<Vec<u8>>(15)?))
        },
    )?;
    Ok(found.filter(|(_, _, hash)| shown.proves(hash)).map(|(code, is_redeemed, _)| (code, is_redeemed)))
}

/// Whether this redemption is the first: one statement, so that of many at once one wins.
pub(super) fn redeem(tx: &mut Tx<'_>, code: &Code) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE oauth_codes SET redeemed_at = ?3 WHERE tenant_id = ?1 AND key_id = ?2 AND redeemed_at IS NULL";
    Ok(tx.exec(sql, &[code.tenant.into(), code.key_id.as_str().into(), now.into()])? > 0)
}

/// Removes codes that ended before `before`, a few at a time; how many. Under a system scope.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM oauth_codes WHERE key_id IN \
         (SELECT key_id FROM oauth_codes WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}

pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<()> {
    let sql = "DELETE FROM oauth_codes WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR client_id = ?2)";
    tx.exec(sql, &[tenant.into(), client.into()])?;
    Ok(())
}

/// Removes the codes that stand for a person, of one application or of all.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: Option<ClientId>) -> Result<()> {
    let sql = "DELETE FROM oauth_codes WHERE tenant_id = ?1 AND user_id = ?2 AND (CAST(?3 AS TEXT) IS NULL OR client_id = ?3)";
    tx.exec(sql, &[tenant.into(), user.into(), client.into()])?;
    Ok(())
}
