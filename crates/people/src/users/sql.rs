//! Writing `users` and `memberships`; `access::people` reads them.

use access::people::{OperatorRole, Role, USER_TOPIC, User, UserStatus, user_columns, user_from};
use kernel::{Result, TenantId, Timestamp, UserId};
use store::{Tx, Value};

/// A new person.
pub(crate) fn insert(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    let verified = user.email_verified.then_some(user.created_at);
    tx.exec(
        "INSERT INTO users (id, email, name, status, operator_role, language, email_verified_at, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        &[
            user.id.into(),
            user.email.as_str().into(),
            user.name.as_str().into(),
            user.status.as_str().into(),
            user.operator_role.map(OperatorRole::as_str).into(),
            user.language.as_deref().into(),
            verified.into(),
            user.created_at.into(),
        ],
    )
    .map(drop)
}

/// Writes all that may change.
pub(crate) fn update(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE users SET email = ?2, name = ?3, status = ?4, operator_role = ?5, language = ?6, updated_at = ?7 WHERE id = ?1",
        &[
            user.id.into(),
            user.email.as_str().into(),
            user.name.as_str().into(),
            user.status.as_str().into(),
            user.operator_role.map(OperatorRole::as_str).into(),
            user.language.as_deref().into(),
            now.into(),
        ],
    )?;
    tx.notify(USER_TOPIC, user.id);
    Ok(())
}

/// Somebody has proven to read what is sent to a person's address.
pub(crate) fn verify_email(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    let now = tx.now();
    let sql = "UPDATE users SET email_verified_at = ?2 WHERE id = ?1 AND email_verified_at IS NULL";
    if tx.exec(sql, &[user.into(), now.into()])? == 1 {
        tx.notify(USER_TOPIC, user);
    }
    Ok(())
}

/// Whether there is anybody at all.
pub(crate) fn is_anybody(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.query_opt("SELECT id FROM users LIMIT 1", &[], |_| Ok(()))?.is_some())
}

/// Operators who may do everything and may sign in, but for this one.
pub(crate) fn other_admins(tx: &mut Tx<'_>, but: UserId) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM users WHERE operator_role = 'admin' AND status = ?1 AND id <> ?2";
    tx.query_one(sql, &[UserStatus::Active.as_str().into(), but.into()], |row| row.get(0))
}

const MATCHING: &str = "FROM users WHERE (CAST(?1 AS TEXT) IS NULL OR status = ?1) AND (CAST(?2 AS TEXT) IS NULL OR operator_role = ?2) \
                        AND (email LIKE ?3 ESCAPE '\\' OR LOWER(name) LIKE ?3 ESCAPE '\\')";

/// Newest first. `filter`: status, operator role, pattern.
pub(crate) fn list(tx: &mut Tx<'_>, filter: &[Value; 3], before: &str, limit: u32, offset: u64) -> Result<Vec<User>> {
    let [status, role, pattern] = filter.clone();
    let values = [status, role, pattern, before.into(), limit.into(), offset.into()];
    let sql = format!("SELECT {} {MATCHING} AND id < ?4 ORDER BY id DESC LIMIT ?5 OFFSET ?6", user_columns());
    tx.query(&sql, &values, user_from)
}

pub(crate) fn count(tx: &mut Tx<'_>, filter: &[Value; 3]) -> Result<u64> {
    tx.query_one(&format!("SELECT COUNT(*) {MATCHING}"), filter, |row| row.get(0))
}

/// Removes the person's own row.
pub(crate) fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM users WHERE id = ?1", &[user.into()])?;
    tx.notify(USER_TOPIC, user);
    Ok(())
}

/// Makes somebody a member; false: they are one already.
pub(crate) fn join(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, role: Role) -> Result<bool> {
    let now = tx.now();
    let inserted = tx.exec(
        "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant_id, user_id) DO NOTHING",
        &[tenant.into(), user.into(), role.as_str().into(), now.into()],
    )?;
    tx.notify(USER_TOPIC, user);
    Ok(inserted == 1)
}

pub(crate) fn set_role(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, role: Role) -> Result<()> {
    let sql = "UPDATE memberships SET role = ?3 WHERE tenant_id = ?1 AND user_id = ?2";
    tx.exec(sql, &[tenant.into(), user.into(), role.as_str().into()])?;
    tx.notify(USER_TOPIC, user);
    Ok(())
}

/// Takes a membership away; false: there was none.
pub(crate) fn leave(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<bool> {
    let left = tx.exec("DELETE FROM memberships WHERE tenant_id = ?1 AND user_id = ?2", &[tenant.into(), user.into()])? == 1;
    tx.notify(USER_TOPIC, user);
    Ok(left)
}

/// Owners of a tenant who may sign in, but for this person.
pub(crate) fn other_owners(tx: &mut Tx<'_>, tenant: TenantId, but: UserId) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM memberships m JOIN users u ON u.id = m.user_id \
               WHERE m.tenant_id = ?1 AND m.role = 'owner' AND m.user_id <> ?2 AND u.status = 'active'";
    tx.query_one(sql, &[tenant.into(), but.into()], |row| row.get(0))
}

/// Everybody of a tenant, by address.
pub(crate) fn members(tx: &mut Tx<'_>, tenant: TenantId, after: &str, limit: u32) -> Result<Vec<(User, Role, Timestamp)>> {
    let columns: Vec<String> = user_columns().split(", ").map(|name| format!("u.{name}")).collect();
    let sql = format!(
        "SELECT {}, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id \
         WHERE m.tenant_id = ?1 AND u.email > ?2 ORDER BY u.email LIMIT ?3",
        columns.join(", ")
    );
    let at = columns.len();
    tx.query(&sql, &[tenant.into(), after.into(), limit.into()], |row| {
        Ok((user_from(row)?, row.get::<String>(at)?.parse()?, row.get(at + 1)?))
    })
}

/// One of them.
pub(crate) fn member(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<Option<(User, Role, Timestamp)>> {
    let Some(place) = access::people::membership(tx, tenant, user)? else { return Ok(None) };
    Ok(access::people::user(tx, user)?.map(|user| (user, place.role, place.created_at)))
}

/// The tenants of a person, whatever their status. Across tenants: in the system's scope.
pub(crate) fn tenants_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<TenantId>> {
    tx.query("SELECT tenant_id FROM memberships WHERE user_id = ?1 ORDER BY tenant_id", &[user.into()], |row| row.get(0))
}

/// Until the transaction ends nobody else changes who the tenant's members are: of two owners who leave at once, one stays. Error: 404.
pub(crate) fn lock_members(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    const LOCK: store::Dialect = store::Dialect {
        sqlite: "SELECT 1 FROM tenants WHERE id = ?1",
        postgres: "SELECT CAST(1 AS BIGINT) FROM tenants WHERE id = ?1 FOR NO KEY UPDATE",
    };
    tx.query_opt(LOCK, &[tenant.into()], |_| Ok(()))?.ok_or_else(|| kernel::Error::not_found("tenant"))
}

/// Nobody has proven to read what is sent to a new address.
pub(crate) fn unverify_email(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("UPDATE users SET email_verified_at = NULL WHERE id = ?1", &[user.into()]).map(drop)
}
