//! Every statement on `ceremonies`. In the system's scope: whoever comes back is nobody yet.

use kernel::{Error, Result, UserId};
use store::{Row, Tx};

use super::{Begun, GOOD_FOR, Purpose};

/// One to be stored.
pub(super) struct Stored {
    pub(super) purpose: &'static str,
    pub(super) browser: [u8; 32],
    pub(super) user: Option<UserId>,
    pub(super) account: Option<[u8; 32]>,
    pub(super) next: Option<String>,
}

pub(super) fn insert(tx: &mut Tx<'_>, hash: &[u8; 32], stored: &Stored) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO ceremonies (token_hash, purpose, browser, user_id, account, next, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            hash.to_vec().into(),
            stored.purpose.into(),
            stored.browser.to_vec().into(),
            stored.user.into(),
            stored.account.map(|hash| hash.to_vec()).into(),
            stored.next.as_deref().into(),
            now.into(),
            now.plus(GOOD_FOR).into(),
        ],
    )
    .map(drop)
}

/// Takes one out: of many who show its token at once, one gets it. With what tells its browser.
pub(super) fn take(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<([u8; 32], Begun)>> {
    let now = tx.now();
    let sql = "DELETE FROM ceremonies WHERE token_hash = ?1 AND expires_at > ?2 RETURNING browser, purpose, user_id, account, next";
    tx.query_opt(sql, &[hash.to_vec().into(), now.into()], |row| {
        let purpose = row.get::<String>(1)?;
        let purpose = Purpose::read(&purpose).ok_or_else(|| Error::internal(format!("a ceremony of the purpose {purpose}")))?;
        let account = row.get::<Option<Vec<u8>>>(3)?.map(|_| hash_at(row, 3)).transpose()?;
        Ok((hash_at(row, 0)?, Begun { purpose, user: row.get(2)?, account, next: row.get(4)? }))
    })
}

fn hash_at(row: &Row<'_>, at: usize) -> Result<[u8; 32]> {
    row.get::<Vec<u8>>(at)?.try_into().map_err(|_| Error::internal("a hash of another length"))
}

/// Everything that a person began.
pub(crate) fn drop_all(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM ceremonies WHERE user_id = ?1", &[user.into()]).map(drop)
}

/// Forgets those whose time is over.
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    tx.exec("DELETE FROM ceremonies WHERE expires_at <= ?1", &[now.into()])
}
