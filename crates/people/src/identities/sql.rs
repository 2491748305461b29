//! Every statement on `identities`. A person's rows, which belong to no tenant: in the system's scope.

use kernel::{Result, UserId};
use store::Tx;

use super::Identity;

/// Whose account it is.
pub(crate) fn find(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<Option<UserId>> {
    tx.query_opt("SELECT user_id FROM identities WHERE issuer = ?1 AND subject = ?2", &[issuer.into(), subject.into()], |row| row.get(0))
}

/// Those of a person, the oldest first. The providers' names are not known here.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Identity>> {
    let sql = "SELECT issuer, email, created_at, last_used_at FROM identities WHERE user_id = ?1 ORDER BY created_at, issuer";
    tx.query(sql, &[user.into()], |row| {
        Ok(Identity { provider: None, issuer: row.get(0)?, email: row.get(1)?, created_at: row.get(2)?, last_used_at: row.get(3)? })
    })
}

/// Ties an account. A second of one issuer, or somebody else's, breaks a unique index.
pub(crate) fn insert(tx: &mut Tx<'_>, issuer: &str, subject: &str, user: UserId, email: Option<&str>) -> Result<()> {
    let now = tx.now();
    let sql = "INSERT INTO identities (issuer, subject, user_id, email, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.exec(sql, &[issuer.into(), subject.into(), user.into(), email.into(), now.into()]).map(drop)
}

/// Notes a use, and the address that was shown with it.
pub(crate) fn note_use(tx: &mut Tx<'_>, issuer: &str, subject: &str, email: Option<&str>) -> Result<()> {
    let now = tx.now();
    let sql = "UPDATE identities SET last_used_at = ?3, email = COALESCE(CAST(?4 AS TEXT), email) WHERE issuer = ?1 AND subject = ?2";
    tx.exec(sql, &[issuer.into(), subject.into(), now.into(), email.into()]).map(drop)
}

/// False: there is none such.
pub(super) fn remove(tx: &mut Tx<'_>, user: UserId, issuer: &str) -> Result<bool> {
    Ok(tx.exec("DELETE FROM identities WHERE user_id = ?1 AND issuer = ?2", &[user.into(), issuer.into()])? == 1)
}

/// Everything of a person who is removed.
pub(crate) fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM identities WHERE user_id = ?1", &[user.into()]).map(drop)
}
