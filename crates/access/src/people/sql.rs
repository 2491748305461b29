//! Reading `users` and `memberships`.

use kernel::{Result, TenantId, UserId};
use store::{Row, Tx};

use super::{Membership, OperatorRole, Role, User, UserStatus};

/// What [`user_from`] reads, in its order.
pub fn user_columns() -> &'static str {
    "id, email, email_verified_at, name, status, operator_role, language, created_at, updated_at"
}

/// A row of [`user_columns`].
pub fn user_from(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        email: row.get(1)?,
        email_verified: row.get::<Option<i64>>(2)?.is_some(),
        name: row.get(3)?,
        status: UserStatus::read(&row.get::<String>(4)?),
        operator_role: row.get::<Option<String>>(5)?.map(|text| text.parse::<OperatorRole>()).transpose()?,
        language: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}

/// A person, of whatever status: who is suspended must get nothing.
pub fn user(tx: &mut Tx<'_>, user: UserId) -> Result<Option<User>> {
    tx.query_opt(&format!("SELECT {} FROM users WHERE id = ?1", user_columns()), &[user.into()], user_from)
}

/// The same by the address, in lower case.
pub fn user_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>> {
    tx.query_opt(&format!("SELECT {} FROM users WHERE email = ?1", user_columns()), &[email.into()], user_from)
}

/// What a person may do in a tenant; none: they are no member, or suspended.
pub fn role_of(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<Option<Role>> {
    let sql = "SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id \
               WHERE m.tenant_id = ?1 AND m.user_id = ?2 AND u.status = 'active'";
    tx.query_opt(sql, &[tenant.into(), user.into()], |row| row.get::<String>(0)?.parse())
}

const MEMBERSHIP: &str =
    "SELECT m.tenant_id, t.name, m.user_id, m.role, m.created_at FROM memberships m JOIN tenants t ON t.id = m.tenant_id";

fn membership_from(row: &Row<'_>) -> Result<Membership> {
    let role = row.get::<String>(3)?.parse()?;
    Ok(Membership { tenant_id: row.get(0)?, tenant_name: row.get(1)?, user_id: row.get(2)?, role, created_at: row.get(4)? })
}

/// A person's place in a tenant, whatever the status of either.
pub fn membership(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<Option<Membership>> {
    tx.query_opt(&format!("{MEMBERSHIP} WHERE m.tenant_id = ?1 AND m.user_id = ?2"), &[tenant.into(), user.into()], membership_from)
}

/// A person's places in active tenants, by the tenants' names. Reads across tenants: in the system's scope.
pub fn memberships_of(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Membership>> {
    let sql = format!("{MEMBERSHIP} WHERE m.user_id = ?1 AND t.status = 'active' ORDER BY t.name, m.tenant_id");
    tx.query(&sql, &[user.into()], membership_from)
}
