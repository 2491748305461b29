//! Every statement on `one_time_links`. In the system's scope: whoever shows a link is nobody yet.

use access::people::Role;
use kernel::{Result, TenantId, Timestamp, UserId};
use store::{Row, Tx};

use super::{Link, NewLink, Purpose};

/// What a link that was redeemed says.
pub(crate) struct Redeemed {
    pub(crate) user: Option<UserId>,
    pub(crate) email: Option<String>,
    pub(crate) bound: Option<(TenantId, Role)>,
}

fn read(row: &Row<'_>) -> Result<Redeemed> {
    let role = row.get::<Option<String>>(3)?.map(|text| text.parse::<Role>()).transpose()?;
    Ok(Redeemed { user: row.get(0)?, email: row.get(1)?, bound: row.get::<Option<TenantId>>(2)?.zip(role) })
}

pub(crate) fn insert(tx: &mut Tx<'_>, hash: &[u8; 32], link: &NewLink) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO one_time_links (token_hash, purpose, user_id, email, bound_tenant, bound_role, next, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            hash.to_vec().into(),
            link.purpose.as_str().into(),
            link.user.into(),
            link.email.as_deref().into(),
            link.bound.map(|(tenant, _)| tenant).into(),
            link.bound.map(|(_, role)| role.as_str()).into(),
            link.next.as_deref().into(),
            now.into(),
            now.plus(link.good_for).into(),
        ],
    )
    .map(drop)
}

/// What a link says, without using it up.
pub(crate) fn peek(tx: &mut Tx<'_>, hash: &[u8; 32], purpose: Purpose) -> Result<Option<Redeemed>> {
    let now = tx.now();
    let sql =
        "SELECT user_id, email, bound_tenant, bound_role FROM one_time_links WHERE token_hash = ?1 AND purpose = ?2 AND expires_at > ?3";
    tx.query_opt(sql, &[hash.to_vec().into(), purpose.as_str().into(), now.into()], read)
}

/// Uses a link up: of many who show it at once, one gets it.
pub(crate) fn redeem(tx: &mut Tx<'_>, hash: &[u8; 32], purpose: Purpose) -> Result<Option<Redeemed>> {
    let now = tx.now();
    let sql = "DELETE FROM one_time_links WHERE token_hash = ?1 AND purpose = ?2 AND expires_at > ?3 \
               RETURNING user_id, email, bound_tenant, bound_role";
    tx.query_opt(sql, &[hash.to_vec().into(), purpose.as_str().into(), now.into()], read)
}

/// What a page shows.
pub(super) fn look(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Link>> {
    let now = tx.now();
    let sql = "SELECT l.purpose, COALESCE(l.email, u.email), t.name, l.bound_role, l.next, l.expires_at FROM one_time_links l \
               LEFT JOIN users u ON u.id = l.user_id LEFT JOIN tenants t ON t.id = l.bound_tenant WHERE l.token_hash = ?1 AND l.expires_at > ?2";
    let found = tx.query_opt(sql, &[hash.to_vec().into(), now.into()], |row| {
        let Some(purpose) = Purpose::read(&row.get::<String>(0)?) else { return Ok(None) };
        Ok(Some(Link {
            purpose,
            email: row.get(1)?,
            tenant_name: row.get(2)?,
            role: row.get::<Option<String>>(3)?.map(|text| text.parse()).transpose()?,
            next: row.get(4)?,
            needs_account: purpose == Purpose::SetUp,
            expires_at: row.get(5)?,
        }))
    })?;
    Ok(found.flatten())
}

/// How many links of this purpose a person was sent since then.
pub(super) fn sent_since(tx: &mut Tx<'_>, user: UserId, purpose: Purpose, since: Timestamp) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM one_time_links WHERE user_id = ?1 AND purpose = ?2 AND created_at > ?3 AND email IS NOT NULL";
    tx.query_one(sql, &[user.into(), purpose.as_str().into(), since.into()], |row| row.get(0))
}

/// A person's other links of this purpose are over.
pub(crate) fn drop_of(tx: &mut Tx<'_>, user: UserId, purpose: Purpose) -> Result<()> {
    tx.exec("DELETE FROM one_time_links WHERE user_id = ?1 AND purpose = ?2", &[user.into(), purpose.as_str().into()]).map(drop)
}

/// All links of this purpose that were made before are over.
pub(crate) fn drop_before(tx: &mut Tx<'_>, purpose: Purpose, before: Timestamp) -> Result<()> {
    let sql = "DELETE FROM one_time_links WHERE purpose = ?1 AND created_at < ?2";
    tx.exec(sql, &[purpose.as_str().into(), before.into()]).map(drop)
}

/// Everything of a person.
pub(crate) fn drop_all(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM one_time_links WHERE user_id = ?1", &[user.into()]).map(drop)
}

/// Forgets those whose time is over.
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    tx.exec("DELETE FROM one_time_links WHERE expires_at <= ?1", &[now.into()])
}
