//! Every statement on `invitations`.

use kernel::{Error, InvitationId, Result, TenantId, Timestamp, UserId};
use store::{Row, Tx};

use super::{Invitation, InvitationStatus};

const COLUMNS: &str = "id, tenant_id, email, name, role, status, invited_by, sent_at, created_at, expires_at, accepted_at";

fn read(row: &Row<'_>, now: Timestamp) -> Result<Invitation> {
    let expires_at: Timestamp = row.get(9)?;
    let status = match row.get::<String>(5)?.as_str() {
        "accepted" => InvitationStatus::Accepted,
        "revoked" => InvitationStatus::Revoked,
        _ if expires_at <= now => InvitationStatus::Expired,
        _ => InvitationStatus::Pending,
    };
    Ok(Invitation {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        email: row.get(2)?,
        name: row.get(3)?,
        role: row.get::<String>(4)?.parse()?,
        status,
        invited_by: row.get(6)?,
        sent_at: row.get(7)?,
        created_at: row.get(8)?,
        expires_at,
        accepted_at: row.get(10)?,
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, invitation: &Invitation, hash: &[u8; 32]) -> Result<()> {
    tx.exec(
        "INSERT INTO invitations (id, tenant_id, email, role, name, token_hash, invited_by, status, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?9)",
        &[
            invitation.id.into(),
            invitation.tenant_id.into(),
            invitation.email.as_str().into(),
            invitation.role.as_str().into(),
            invitation.name.as_deref().into(),
            hash.to_vec().into(),
            invitation.invited_by.as_str().into(),
            invitation.created_at.into(),
            invitation.expires_at.into(),
        ],
    )
    .map(drop)
}

/// Newest first.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, before: &str, limit: u32) -> Result<Vec<Invitation>> {
    let now = tx.now();
    let sql = format!("SELECT {COLUMNS} FROM invitations WHERE tenant_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    tx.query(&sql, &[tenant.into(), before.into(), limit.into()], |row| read(row, now))
}

/// One of a tenant. Error: 404.
pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: InvitationId) -> Result<Invitation> {
    let now = tx.now();
    let sql = format!("SELECT {COLUMNS} FROM invitations WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], |row| read(row, now))?.ok_or_else(|| Error::not_found("invitation"))
}

/// One that can be accepted, by its link: whoever shows that is nobody yet, so across tenants, in the system's scope.
pub(super) fn pending(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Invitation>> {
    let now = tx.now();
    let sql = format!("SELECT {COLUMNS} FROM invitations WHERE token_hash = ?1 AND status = 'pending' AND expires_at > ?2");
    tx.query_opt(&sql, &[hash.to_vec().into(), now.into()], |row| read(row, now))
}

/// Invitations of a tenant that can be accepted, but for this address.
pub(super) fn open(tx: &mut Tx<'_>, tenant: TenantId, but: &str) -> Result<u64> {
    let now = tx.now();
    let sql = "SELECT COUNT(*) FROM invitations WHERE tenant_id = ?1 AND status = 'pending' AND expires_at > ?2 AND email <> ?3";
    tx.query_one(sql, &[tenant.into(), now.into(), but.into()], |row| row.get(0))
}

/// Takes back what is pending for an address: a new invitation replaces it.
pub(super) fn replace(tx: &mut Tx<'_>, tenant: TenantId, email: &str) -> Result<()> {
    let sql = "UPDATE invitations SET status = 'revoked' WHERE tenant_id = ?1 AND email = ?2 AND status = 'pending'";
    tx.exec(sql, &[tenant.into(), email.into()]).map(drop)
}

/// False: it is no longer pending.
pub(super) fn revoke(tx: &mut Tx<'_>, tenant: TenantId, id: InvitationId) -> Result<bool> {
    let sql = "UPDATE invitations SET status = 'revoked' WHERE tenant_id = ?1 AND id = ?2 AND status = 'pending'";
    Ok(tx.exec(sql, &[tenant.into(), id.into()])? == 1)
}

/// Gives it another link and another end.
pub(super) fn renew(tx: &mut Tx<'_>, tenant: TenantId, id: InvitationId, hash: &[u8; 32], expires_at: Timestamp) -> Result<()> {
    let sql = "UPDATE invitations SET token_hash = ?3, expires_at = ?4 WHERE tenant_id = ?1 AND id = ?2 AND status = 'pending'";
    tx.exec(sql, &[tenant.into(), id.into(), hash.to_vec().into(), expires_at.into()]).map(drop)
}

pub(super) fn sent(tx: &mut Tx<'_>, tenant: TenantId, id: InvitationId) -> Result<()> {
    let now = tx.now();
    let sql = "UPDATE invitations SET sent_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), id.into(), now.into()]).map(drop)
}

/// Uses it up; false: somebody was faster, or it was taken back.
pub(super) fn accept(tx: &mut Tx<'_>, tenant: TenantId, id: InvitationId, hash: &[u8; 32], user: UserId) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE invitations SET status = 'accepted', accepted_at = ?4, accepted_by = ?5 \
               WHERE tenant_id = ?1 AND id = ?2 AND token_hash = ?3 AND status = 'pending' AND expires_at > ?4";
    Ok(tx.exec(sql, &[tenant.into(), id.into(), hash.to_vec().into(), now.into(), user.into()])? == 1)
}

/// Forgets the invitations of an address that is removed. Across tenants: in the system's or the operator's scope.
pub(crate) fn forget(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    tx.exec("DELETE FROM invitations WHERE email = ?1", &[email.into()]).map(drop)
}
