//! Every statement on `oauth_requests`. No tenant's rows: a handle is found by whoever has it.

use access::access_tokens::ReadHandle;
use kernel::{ClientId, Error, Result, Timestamp, UserId};
use store::Tx;

use super::{Parameters, Waiting};

/// A request to be stored.
pub(super) struct New<'a> {
    pub(super) key_id: &'a str,
    pub(super) hash: &'a [u8; 32],
    pub(super) client: ClientId,
    pub(super) is_pushed: bool,
    pub(super) parameters: &'a Parameters,
    pub(super) expires_at: Timestamp,
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &New<'_>) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO oauth_requests (key_id, client_id, hash, is_pushed, parameters, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.key_id.into(),
            new.client.into(),
            new.hash.to_vec().into(),
            new.is_pushed.into(),
            serde_json::to_string(new.parameters).map_err(Error::internal)?.into(),
            now.into(),
            new.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// The request of a handle, whatever its time.
pub(super) fn shown(tx: &mut Tx<'_>, shown: &ReadHandle) -> Result<Option<Waiting>> {
    let sql = "SELECT key_id, client_id, is_pushed, parameters, person, created_at, expires_at, hash FROM oauth_requests WHERE key_id = ?1";
    let found = tx.query_opt(sql, &[shown.key_id.as_str().into()], |row| {
        let waiting = Waiting {
            key_id: row.get(0)?,
            client: row.get(1)?,
            is_pushed: row.get(2)?,
            parameters: serde_json::from_str(&row.get::<String>(3)?).map_err(Error::internal)?,
            person: row.get(4)?,
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
        };
        Ok((waiting, row.get::<Vec<u8>>(7)?))
    })?;
    Ok(found.filter(|(_, hash)| shown.proves(hash)).map(|(waiting, _)| waiting))
}

/// Makes a person the owner, if nobody else is; whether it is.
pub(super) fn own(tx: &mut Tx<'_>, key_id: &str, person: UserId) -> Result<bool> {
    let sql = "UPDATE oauth_requests SET person = ?2 WHERE key_id = ?1 AND (person IS NULL OR person = ?2)";
    Ok(tx.exec(sql, &[key_id.into(), person.into()])? > 0)
}

/// Takes a request out; whether it was there: of many who answer it, one does.
pub(super) fn take(tx: &mut Tx<'_>, key_id: &str) -> Result<bool> {
    Ok(tx.exec("DELETE FROM oauth_requests WHERE key_id = ?1", &[key_id.into()])? > 0)
}

/// Removes requests that ended before `before`, a few at a time; how many.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM oauth_requests WHERE key_id IN \
         (SELECT key_id FROM oauth_requests WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}
