//! What proves who a person is: every statement on `sign_in_methods` and `recovery_codes`. Passkeys and identities elsewhere have files of their
//! own.

use kernel::{Result, Timestamp, UserId};
use store::Tx;

use crate::{errors, identities, passkeys};

/// What a person has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Methods {
    pub(crate) password_hash: Option<String>,
    pub(crate) totp: Option<Vec<u8>>,
    pub(crate) totp_confirmed_at: Option<Timestamp>,
}

/// A person's; nothing, of one who never chose any.
pub(crate) fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Methods> {
    let sql = "SELECT password_hash, totp, totp_confirmed_at FROM sign_in_methods WHERE user_id = ?1";
    let found = tx.query_opt(sql, &[user.into()], |row| {
        Ok(Methods { password_hash: row.get(0)?, totp: row.get(1)?, totp_confirmed_at: row.get(2)? })
    })?;
    Ok(found.unwrap_or_default())
}

fn ensure(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    let now = tx.now();
    let sql = "INSERT INTO sign_in_methods (user_id, totp_last_step, updated_at) VALUES (?1, 0, ?2) ON CONFLICT (user_id) DO NOTHING";
    tx.exec(sql, &[user.into(), now.into()]).map(drop)
}

/// Until the transaction ends nobody else counts what was sent to this person.
pub(crate) fn hold(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    ensure(tx, user)?;
    let now = tx.now();
    tx.exec("UPDATE sign_in_methods SET updated_at = ?2 WHERE user_id = ?1", &[user.into(), now.into()]).map(drop)
}

/// Sets the password, as its hash.
pub(crate) fn set_password(tx: &mut Tx<'_>, user: UserId, hash: &str) -> Result<()> {
    ensure(tx, user)?;
    let now = tx.now();
    let sql = "UPDATE sign_in_methods SET password_hash = ?2, password_set_at = ?3, updated_at = ?3 WHERE user_id = ?1";
    tx.exec(sql, &[user.into(), hash.into(), now.into()]).map(drop)
}

/// Keeps the same password under another cost, unless it was changed meanwhile.
pub(crate) fn rehash(tx: &mut Tx<'_>, user: UserId, old: &str, new: &str) -> Result<()> {
    let sql = "UPDATE sign_in_methods SET password_hash = ?3 WHERE user_id = ?1 AND password_hash = ?2";
    tx.exec(sql, &[user.into(), old.into(), new.into()]).map(drop)
}

/// Begins an enrolment: a secret (sealed) that is not asked for before it was confirmed.
pub(crate) fn offer_totp(tx: &mut Tx<'_>, user: UserId, sealed: Vec<u8>) -> Result<()> {
    ensure(tx, user)?;
    let now = tx.now();
    let sql = "UPDATE sign_in_methods SET totp = ?2, totp_confirmed_at = NULL, totp_last_step = 0, updated_at = ?3 WHERE user_id = ?1";
    tx.exec(sql, &[user.into(), sealed.into(), now.into()]).map(drop)
}

pub(crate) fn confirm_totp(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    let now = tx.now();
    tx.exec("UPDATE sign_in_methods SET totp_confirmed_at = ?2, updated_at = ?2 WHERE user_id = ?1", &[user.into(), now.into()]).map(drop)
}

/// Uses a time step's code up; false: it, or a later one, was used already.
pub(crate) fn use_step(tx: &mut Tx<'_>, user: UserId, step: u64) -> Result<bool> {
    let sql = "UPDATE sign_in_methods SET totp_last_step = ?2 WHERE user_id = ?1 AND totp_last_step < ?2";
    Ok(tx.exec(sql, &[user.into(), step.into()])? == 1)
}

/// Takes the authenticator and its recovery codes away; whether there was one.
pub(crate) fn remove_totp(tx: &mut Tx<'_>, user: UserId) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE sign_in_methods SET totp = NULL, totp_confirmed_at = NULL, totp_last_step = 0, updated_at = ?2 \
               WHERE user_id = ?1 AND totp IS NOT NULL";
    let had = tx.exec(sql, &[user.into(), now.into()])? == 1;
    tx.exec("DELETE FROM recovery_codes WHERE user_id = ?1", &[user.into()])?;
    Ok(had)
}

/// Puts these recovery codes, as hashes, in place of all others.
pub(crate) fn set_recovery_codes(tx: &mut Tx<'_>, user: UserId, hashes: &[[u8; 32]]) -> Result<()> {
    tx.exec("DELETE FROM recovery_codes WHERE user_id = ?1", &[user.into()])?;
    let values: Vec<store::Value> = hashes.iter().flat_map(|hash| [user.into(), hash.to_vec().into()]).collect();
    tx.insert_rows("INSERT INTO recovery_codes (user_id, hash) VALUES", 2, &values, "").map(drop)
}

/// Uses a recovery code up; false: there is none such, or it was used already.
pub(crate) fn use_recovery_code(tx: &mut Tx<'_>, user: UserId, hash: [u8; 32]) -> Result<bool> {
    let now = tx.now();
    let sql = "UPDATE recovery_codes SET used_at = ?3 WHERE user_id = ?1 AND hash = ?2 AND used_at IS NULL";
    Ok(tx.exec(sql, &[user.into(), hash.to_vec().into(), now.into()])? == 1)
}

pub(crate) fn recovery_codes_left(tx: &mut Tx<'_>, user: UserId) -> Result<u32> {
    tx.query_one("SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL", &[user.into()], |row| row.get(0))
}

/// Everything of a person who is removed.
pub(crate) fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    passkeys::sql::delete(tx, user)?;
    identities::sql::delete(tx, user)?;
    tx.exec("DELETE FROM recovery_codes WHERE user_id = ?1", &[user.into()])?;
    tx.exec("DELETE FROM sign_in_methods WHERE user_id = ?1", &[user.into()]).map(drop)
}

/// Whoever took something away still comes in by something else. `can_mail`: by a link. Error: 409 `last_sign_in_method`.
pub(crate) fn keep_one(tx: &mut Tx<'_>, user: UserId, can_mail: bool) -> Result<()> {
    let is_left = can_mail
        || of(tx, user)?.password_hash.is_some()
        || passkeys::sql::count(tx, user)? > 0
        || !identities::sql::of_user(tx, user)?.is_empty();
    if is_left { Ok(()) } else { Err(errors::last_sign_in_method()) }
}
