//! Every statement on `sessions`. A person's rows, which belong to no tenant: in the system's scope.

use access::people::Role;
use kernel::{Result, SessionId, TenantId, Timestamp, UserId};
use serde_json::json;
use store::{Row, Tx};

use super::{Draft, Method, SessionInfo, TOPIC};

/// A session as it is stored.
pub(crate) struct Stored {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) bound: Option<(TenantId, Role)>,
    pub(crate) methods: Vec<Method>,
    pub(crate) proven_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) last_seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

fn read(row: &Row<'_>) -> Result<Stored> {
    let role = row.get::<Option<String>>(3)?.map(|text| text.parse::<Role>()).transpose()?;
    Ok(Stored {
        id: row.get(0)?,
        user: row.get(1)?,
        bound: row.get::<Option<TenantId>>(2)?.zip(role),
        methods: Method::read(&row.get::<String>(4)?),
        proven_at: row.get(5)?,
        created_at: row.get(6)?,
        last_seen_at: row.get(7)?,
        expires_at: row.get(8)?,
    })
}

const COLUMNS: &str = "id, user_id, bound_tenant, bound_role, methods, proven_at, created_at, last_seen_at, expires_at";

/// By the token's hash.
pub(crate) fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Stored>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM sessions WHERE token_hash = ?1"), &[hash.to_vec().into()], read)
}

/// By its id.
pub(crate) fn of_id(tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Stored>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"), &[id.into()], read)
}

/// Whether a host began it, for one tenant.
pub(crate) fn is_bound(tx: &mut Tx<'_>, id: SessionId) -> Result<bool> {
    Ok(of_id(tx, id)?.is_some_and(|stored| stored.bound.is_some()))
}

/// Begins a session.
pub(crate) fn begin(tx: &mut Tx<'_>, draft: &Draft) -> Result<()> {
    tx.exec(
        "INSERT INTO sessions (id, user_id, token_hash, bound_tenant, bound_role, methods, proven_at, ip, user_agent, created_at, \
         last_seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?11, ?8, ?9, ?7, ?7, ?10)",
        &[
            draft.id.into(),
            draft.user.into(),
            draft.hash.to_vec().into(),
            draft.bound.map(|(tenant, _)| tenant).into(),
            draft.bound.map(|(_, role)| role.as_str()).into(),
            Method::write(&draft.methods).into(),
            draft.created_at.into(),
            draft.ip.as_deref().into(),
            draft.user_agent.as_deref().into(),
            draft.expires_at.into(),
            draft.proven_at.into(),
        ],
    )?;
    let tenant = draft.bound.map(|(tenant, _)| tenant.to_string());
    tx.audit_with("session.create", draft.id, &json!({"user": draft.user, "methods": draft.methods, "tenant": tenant}))
}

/// Gives a session another token, since more was proven; the old one is nobody's from now on. False: it has ended.
pub(crate) fn renew(tx: &mut Tx<'_>, id: SessionId, hash: &[u8; 32], methods: &[Method], proven_at: Timestamp) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE sessions SET token_hash = ?2, methods = ?3, proven_at = ?4, last_seen_at = ?4 WHERE id = ?1",
        &[id.into(), hash.to_vec().into(), Method::write(methods).into(), proven_at.into()],
    )?;
    tx.notify(TOPIC, id);
    Ok(changed == 1)
}

pub(crate) fn touch(tx: &mut Tx<'_>, id: SessionId, at: Timestamp) -> Result<()> {
    tx.exec("UPDATE sessions SET last_seen_at = ?2 WHERE id = ?1 AND last_seen_at < ?2", &[id.into(), at.into()]).map(drop)
}

/// Those of a person that have not ended, newest first.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId, current: Option<SessionId>, seen_after: Timestamp) -> Result<Vec<SessionInfo>> {
    let sql = "SELECT id, methods, bound_tenant, ip, user_agent, created_at, last_seen_at, expires_at FROM sessions \
               WHERE user_id = ?1 AND expires_at > ?2 AND last_seen_at > ?3 ORDER BY id DESC LIMIT 500";
    let now = tx.now();
    tx.query(sql, &[user.into(), now.into(), seen_after.into()], |row| {
        let id: SessionId = row.get(0)?;
        Ok(SessionInfo {
            id,
            is_current: current == Some(id),
            methods: Method::read(&row.get::<String>(1)?),
            tenant_id: row.get(2)?,
            ip: row.get(3)?,
            user_agent: row.get(4)?,
            created_at: row.get(5)?,
            last_seen_at: row.get(6)?,
            expires_at: row.get(7)?,
        })
    })
}

/// Ends one of a person's sessions; false: there is none.
pub(crate) fn end(tx: &mut Tx<'_>, user: UserId, id: SessionId) -> Result<bool> {
    let ended = tx.exec("DELETE FROM sessions WHERE id = ?1 AND user_id = ?2", &[id.into(), user.into()])? == 1;
    if ended {
        tx.audit("session.revoke", id)?;
        tx.notify(TOPIC, id);
    }
    Ok(ended)
}

/// Ends all sessions of a person but one; how many.
pub(crate) fn end_all(tx: &mut Tx<'_>, user: UserId, but: Option<SessionId>) -> Result<u64> {
    let but = but.map(|id| id.to_string()).unwrap_or_default();
    let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2 RETURNING id";
    let ended: Vec<SessionId> = tx.query(sql, &[user.into(), but.into()], |row| row.get(0))?;
    tell(tx, &ended)?;
    Ok(ended.len() as u64)
}

/// Ends the sessions of a person that a host began for a tenant.
pub(crate) fn end_bound(tx: &mut Tx<'_>, user: UserId, tenant: TenantId) -> Result<()> {
    let sql = "DELETE FROM sessions WHERE user_id = ?1 AND bound_tenant = ?2 RETURNING id";
    let ended: Vec<SessionId> = tx.query(sql, &[user.into(), tenant.into()], |row| row.get(0))?;
    tell(tx, &ended)
}

fn tell(tx: &mut Tx<'_>, ended: &[SessionId]) -> Result<()> {
    for id in ended {
        tx.audit("session.revoke", id)?;
        tx.notify(TOPIC, id);
    }
    Ok(())
}

/// Forgets those whose time is over.
pub(crate) fn expire(tx: &mut Tx<'_>, seen_before: Timestamp) -> Result<u64> {
    let now = tx.now();
    tx.exec("DELETE FROM sessions WHERE expires_at <= ?1 OR last_seen_at <= ?2", &[now.into(), seen_before.into()])
}
