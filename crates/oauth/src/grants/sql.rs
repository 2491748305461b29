//! Every statement on `oauth_grants` and `oauth_spent_tokens`.

use std::time::Duration;

use access::access_tokens::ReadHandle;
use kernel::{ClientId, Error, GrantId, Result, TenantId, Timestamp, UserId};
use store::{Row, Tx};

use super::{NewGrant, SignIn};
use crate::scope;

/// A grant, found by a refresh token.
pub(crate) struct Shown {
    pub(crate) id: GrantId,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) user: UserId,
    pub(crate) scope: String,
    pub(crate) used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    /// Whether the token is the one that is good now; else it was one before.
    pub(crate) is_current: bool,
}

/// A grant whose refresh token was just replaced.
pub(super) struct Turned {
    pub(super) id: GrantId,
    pub(super) tenant: TenantId,
    pub(super) user: UserId,
    pub(super) scope: String,
    pub(super) resource: Option<String>,
    pub(super) jkt: Option<String>,
    pub(super) sign_in: SignIn,
    pub(super) expires_at: Timestamp,
}

/// A refresh token in place of another.
pub(super) struct Turn<'a> {
    pub(super) client: ClientId,
    pub(super) shown: &'a ReadHandle,
    pub(super) next: &'a [u8; 32],
    pub(super) expires_at: Timestamp,
    /// How long a grant lives at most.
    pub(super) longest: Duration,
}

pub(super) fn insert(tx: &mut Tx<'_>, grant: &NewGrant<'_>, key_id: &str, hash: Option<&[u8; 32]>, expires_at: Timestamp) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO oauth_grants (id, tenant_id, client_id, user_id, key_id, hash, scope, resource, jkt, nonce, authenticated_at, methods, \
         created_at, used_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14)",
        &[
            grant.id.into(),
            grant.tenant.into(),
            grant.client.app.id.into(),
            grant.user.into(),
            key_id.into(),
            hash.map(|hash| hash.to_vec()).into(),
            grant.scope.into(),
            grant.resource.map(str::to_owned).into(),
            grant.jkt.map(str::to_owned).into(),
            grant.sign_in.nonce.clone().into(),
            grant.sign_in.at.into(),
            methods(&grant.sign_in.methods).into(),
            now.into(),
            expires_at.into(),
        ],
    )?;
    Ok(())
}

/// Methods are short names without spaces (RFC 8176).
pub(crate) fn methods(methods: &[String]) -> String {
    methods.join(" ")
}

/// Puts the next refresh token in place of the one that is shown, if that is the one that is good now: one statement, so that of many at once
/// one wins. Under a system scope: the token says whose it is.
pub(super) fn turn(tx: &mut Tx<'_>, turn: &Turn<'_>) -> Result<Option<Turned>> {
    let now = tx.now();
    let turned = tx.query_opt(
        "UPDATE oauth_grants SET hash = ?4, used_at = ?5, \
         expires_at = CASE WHEN created_at + CAST(?7 AS BIGINT) < CAST(?6 AS BIGINT) THEN created_at + CAST(?7 AS BIGINT) ELSE CAST(?6 AS BIGINT) END \
         WHERE key_id = ?1 AND hash = ?2 AND client_id = ?3 AND revoked_at IS NULL AND expires_at > ?5 \
         RETURNING id, tenant_id, user_id, scope, resource, jkt, nonce, authenticated_at, methods, expires_at",
        &[
            turn.shown.key_id.as_str().into(),
            turn.shown.hash.to_vec().into(),
            turn.client.into(),
            turn.next.to_vec().into(),
            now.into(),
            turn.expires_at.into(),
            i64::try_from(turn.longest.as_millis()).unwrap_or(i64::MAX / 2).into(),
        ],
        |row| {
            Ok(Turned {
                id: row.get(0)?,
                tenant: row.get(1)?,
                user: row.get(2)?,
                scope: row.get(3)?,
                resource: row.get(4)?,
                jkt: row.get(5)?,
                sign_in: sign_in(row, 6)?,
                expires_at: row.get(9)?,
            })
        },
    )?;
    if let Some(grant) = &turned {
        tx.exec(
            "INSERT INTO oauth_spent_tokens (grant_id, hash, spent_at) VALUES (?1, ?2, ?3)",
            &[grant.id.into(), turn.shown.hash.to_vec().into(), now.into()],
        )?;
    }
    Ok(turned)
}

/// `nonce`, `authenticated_at`, `methods`, from column `at` on.
pub(crate) fn sign_in(row: &Row<'_>, at: usize) -> Result<SignIn> {
    Ok(SignIn { nonce: row.get(at)?, at: row.get(at + 1)?, methods: scope::split(&row.get::<String>(at + 2)?) })
}

/// The grant of a refresh token that is or was good; none: nobody ever got this one. Under a system scope.
pub(crate) fn shown(tx: &mut Tx<'_>, shown: &ReadHandle) -> Result<Option<Shown>> {
    let found = tx.query_opt(
        "SELECT id, tenant_id, client_id, user_id, scope, used_at, expires_at, revoked_at, hash FROM oauth_grants WHERE key_id = ?1",
        &[shown.key_id.as_str().into()],
        |row| {
            let hash: Option<Vec<u8>> = row.get(8)?;
            Ok(Shown {
                id: row.get(0)?,
                tenant: row.get(1)?,
                client: row.get(2)?,
                user: row.get(3)?,
                scope: row.get(4)?,
                used_at: row.get(5)?,
                expires_at: row.get(6)?,
                revoked_at: row.get(7)?,
                is_current: hash.is_some_and(|hash| shown.proves(&hash)),
            })
        },
    )?;
    let Some(grant) = found else { return Ok(None) };
    if grant.is_current {
        return Ok(Some(grant));
    }
    let sql = "SELECT 1 FROM oauth_spent_tokens WHERE grant_id = ?1 AND hash = ?2";
    let was_good = tx.query_opt(sql, &[grant.id.into(), shown.hash.to_vec().into()], |_| Ok(()))?.is_some();
    Ok(was_good.then_some(grant))
}

/// Whether there was one that had not ended.
pub(super) fn revoke(tx: &mut Tx<'_>, tenant: TenantId, grant: GrantId, reason: &str) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE oauth_grants SET revoked_at = ?3, reason = ?4, hash = NULL WHERE tenant_id = ?1 AND id = ?2 AND revoked_at IS NULL";
    Ok(tx.exec(sql, &[tenant.into(), grant.into(), now.into(), reason.into()])? > 0)
}

/// Ends all that a person allowed in a tenant, with its tokens.
pub(crate) fn end_all(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, reason: &str) -> Result<()> {
    let sql = "SELECT id FROM oauth_grants WHERE tenant_id = ?1 AND user_id = ?2 AND revoked_at IS NULL";
    let live: Vec<GrantId> = tx.query(sql, &[tenant.into(), user.into()], |row| row.get(0))?;
    for grant in live {
        revoke(tx, tenant, grant, reason)?;
        access::access_tokens::revoke_of_grant(tx, grant)?;
    }
    Ok(())
}

/// The grants of a person's application that have not ended.
pub(crate) fn live(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId) -> Result<Vec<GrantId>> {
    let sql = "SELECT id FROM oauth_grants WHERE tenant_id = ?1 AND user_id = ?2 AND client_id = ?3 AND revoked_at IS NULL";
    tx.query(sql, &[tenant.into(), user.into(), client.into()], |row| row.get(0))
}

/// What the grants of a person's application that live allow, each scope once.
pub(crate) fn live_scopes(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId) -> Result<Vec<String>> {
    let now = tx.now();
    let sql = "SELECT scope FROM oauth_grants WHERE tenant_id = ?1 AND user_id = ?2 AND client_id = ?3 AND revoked_at IS NULL \
               AND expires_at > CAST(?4 AS BIGINT) GROUP BY scope ORDER BY MIN(id)";
    let texts = tx.query(sql, &[tenant.into(), user.into(), client.into(), now.into()], |row| row.get::<String>(0))?;
    Ok(texts.iter().fold(Vec::new(), |known, text| scope::union(known, scope::split(text))))
}

/// The grants of an application in a tenant.
pub(crate) fn of_client(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<Vec<GrantId>> {
    let sql = "SELECT id FROM oauth_grants WHERE tenant_id = ?1 AND client_id = ?2";
    tx.query(sql, &[tenant.into(), client.into()], |row| row.get(0))
}

/// Removes grants that ended before `before`, a few at a time; how many. Under a system scope.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "SELECT id FROM oauth_grants WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2";
    let over: Vec<GrantId> = tx.query(sql, &[before.into(), limit.into()], |row| row.get(0))?;
    for grant in &over {
        remove(tx, *grant)?;
    }
    u64::try_from(over.len()).map_err(Error::internal)
}

fn remove(tx: &mut Tx<'_>, grant: GrantId) -> Result<()> {
    tx.exec("DELETE FROM oauth_spent_tokens WHERE grant_id = ?1", &[grant.into()])?;
    tx.exec("DELETE FROM oauth_grants WHERE id = ?1", &[grant.into()])?;
    Ok(())
}

/// Removes what a tenant, or one client of it, has.
pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<()> {
    let whose = "tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR client_id = ?2)";
    let sql = format!("DELETE FROM oauth_spent_tokens WHERE grant_id IN (SELECT id FROM oauth_grants WHERE {whose})");
    tx.exec(&sql, &[tenant.into(), client.into()])?;
    tx.exec(&format!("DELETE FROM oauth_grants WHERE {whose}"), &[tenant.into(), client.into()])?;
    Ok(())
}
