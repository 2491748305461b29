//! Every statement on `passkeys`. A person's rows, which belong to no tenant: in the system's scope.

use kernel::{Error, PasskeyId, Result, UserId};
use store::{Row, Tx};

use super::{MOST, Passkey};
use crate::errors;
use crate::webauthn::{NewCredential, Signed};

/// What is needed to check a passkey that is used.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: PasskeyId,
    pub(crate) user: UserId,
    pub(crate) public_key: Vec<u8>,
    pub(crate) is_synced: bool,
}

/// Of a person, the oldest first.
pub(crate) fn of_user(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<Passkey>> {
    let sql = "SELECT id, name, is_synced, aaguid, created_at, last_used_at, regressed_at FROM passkeys WHERE user_id = ?1 ORDER BY id";
    tx.query(sql, &[user.into()], read)
}

/// One of a person. Error: 404.
pub(super) fn get(tx: &mut Tx<'_>, user: UserId, id: PasskeyId) -> Result<Passkey> {
    let sql = "SELECT id, name, is_synced, aaguid, created_at, last_used_at, regressed_at FROM passkeys WHERE user_id = ?1 AND id = ?2";
    tx.query_opt(sql, &[user.into(), id.into()], read)?.ok_or_else(|| Error::not_found("passkey"))
}

fn read(row: &Row<'_>) -> Result<Passkey> {
    Ok(Passkey {
        id: row.get(0)?,
        name: row.get(1)?,
        is_synced: row.get::<i64>(2)? == 1,
        aaguid: row.get(3)?,
        created_at: row.get(4)?,
        last_used_at: row.get(5)?,
        suspected_copy_at: row.get(6)?,
    })
}

/// The credential ids of a person, and how each can be reached.
pub(crate) fn credentials(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<(Vec<u8>, Vec<String>)>> {
    tx.query("SELECT credential_id, transports FROM passkeys WHERE user_id = ?1 ORDER BY id", &[user.into()], |row| {
        let transports = row.get::<String>(1)?.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Ok((row.get(0)?, transports))
    })
}

/// How many a person has.
pub(crate) fn count(tx: &mut Tx<'_>, user: UserId) -> Result<u32> {
    tx.query_one("SELECT COUNT(*) FROM passkeys WHERE user_id = ?1", &[user.into()], |row| row.get(0))
}

/// Whose a credential is. Across people: whoever shows it is nobody yet.
pub(crate) fn find(tx: &mut Tx<'_>, credential: &[u8]) -> Result<Option<Stored>> {
    let sql = "SELECT id, user_id, public_key, is_synced FROM passkeys WHERE credential_id = ?1";
    tx.query_opt(sql, &[credential.to_vec().into()], |row| {
        Ok(Stored { id: row.get(0)?, user: row.get(1)?, public_key: row.get(2)?, is_synced: row.get::<i64>(3)? == 1 })
    })
}

/// A new one. Errors: 409 `passkey_known`, 409 `too_many_passkeys`.
pub(super) fn insert(tx: &mut Tx<'_>, id: PasskeyId, user: UserId, name: &str, new: &NewCredential) -> Result<()> {
    // Of many that are added at once none is one too many.
    crate::users::methods::hold(tx, user)?;
    if count(tx, user)? as usize >= MOST {
        return Err(Error::conflict("too_many_passkeys", "You have twenty passkeys. Remove one that you no longer use."));
    }
    let now = tx.now();
    let inserted = tx.exec(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, name, aaguid, transports, counter, is_synced, is_backed_up, \
         created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (credential_id) DO NOTHING",
        &[
            id.into(),
            user.into(),
            new.id.clone().into(),
            new.public_key.clone().into(),
            name.into(),
            aaguid(&new.aaguid).into(),
            new.transports.join(" ").into(),
            i64::from(new.counter).into(),
            i64::from(new.is_synced).into(),
            i64::from(new.is_backed_up).into(),
            now.into(),
        ],
    )?;
    if inserted == 1 { Ok(()) } else { Err(errors::passkey_known()) }
}

/// As UUIDs are written.
fn aaguid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

pub(super) fn rename(tx: &mut Tx<'_>, user: UserId, id: PasskeyId, name: &str) -> Result<()> {
    tx.exec("UPDATE passkeys SET name = ?3 WHERE user_id = ?1 AND id = ?2", &[user.into(), id.into(), name.into()]).map(drop)
}

/// False: there is none such.
pub(super) fn remove(tx: &mut Tx<'_>, user: UserId, id: PasskeyId) -> Result<bool> {
    Ok(tx.exec("DELETE FROM passkeys WHERE user_id = ?1 AND id = ?2", &[user.into(), id.into()])? == 1)
}

/// Everything of a person who is removed.
pub(crate) fn delete(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM passkeys WHERE user_id = ?1", &[user.into()]).map(drop)
}

/// Notes a use. None: the passkey was removed meanwhile; else whether its counter went on, which one that does not count (zero) need not. The
/// highest number that was seen is kept.
pub(super) fn note_use(tx: &mut Tx<'_>, id: PasskeyId, signed: Signed) -> Result<Option<bool>> {
    let now = tx.now();
    let known = tx.query_opt("SELECT counter FROM passkeys WHERE id = ?1", &[id.into()], |row| row.get::<i64>(0))?;
    let Some(known) = known else { return Ok(None) };
    let shown = i64::from(signed.counter);
    let went_on = shown > known || (shown == 0 && known == 0);
    let regressed_at = (!went_on).then_some(now);
    let changed = tx.exec(
        "UPDATE passkeys SET counter = ?2, is_backed_up = ?3, last_used_at = ?4, regressed_at = COALESCE(CAST(?5 AS BIGINT), regressed_at) \
         WHERE id = ?1",
        &[id.into(), shown.max(known).into(), i64::from(signed.is_backed_up).into(), now.into(), regressed_at.into()],
    )?;
    Ok((changed == 1).then_some(went_on))
}
