//! Every statement on `pending_sign_ins`.

use kernel::{Result, Timestamp, UserId};
use store::Tx;

use crate::sessions::Method;

/// Second proofs that may be tried for one first one.
const TRIES: u32 = 5;

/// `invitation`: the one that is accepted once everything was shown.
pub(super) fn owe(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    user: UserId,
    methods: &[Method],
    invitation: Option<[u8; 32]>,
    expires_at: Timestamp,
) -> Result<()> {
    let invitation = invitation.map(|hash| hash.to_vec());
    tx.exec(
        "INSERT INTO pending_sign_ins (token_hash, user_id, methods, tries, invitation, expires_at) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
        &[hash.to_vec().into(), user.into(), Method::write(methods).into(), invitation.into(), expires_at.into()],
    )
    .map(drop)
}

/// Counts a try before it is judged; none: it is over.
pub(super) fn try_once(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<(UserId, Vec<Method>)>> {
    let now = tx.now();
    tx.query_opt(
        "UPDATE pending_sign_ins SET tries = tries + 1 WHERE token_hash = ?1 AND expires_at > ?2 AND tries < ?3 RETURNING user_id, methods",
        &[hash.to_vec().into(), now.into(), TRIES.into()],
        |row| Ok((row.get(0)?, Method::read(&row.get::<String>(1)?))),
    )
}

/// Settles what is owed; the invitation that is accepted with it, if any. None: somebody was faster.
pub(super) fn settle(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Option<Vec<u8>>>> {
    let sql = "DELETE FROM pending_sign_ins WHERE token_hash = ?1 RETURNING invitation";
    tx.query_opt(sql, &[hash.to_vec().into()], |row| row.get(0))
}

/// Nobody owes anything for a first proof that is no longer one: the password was changed.
pub(crate) fn drop_all(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM pending_sign_ins WHERE user_id = ?1", &[user.into()]).map(drop)
}

/// Forgets those whose time is over.
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<u64> {
    let now = tx.now();
    tx.exec("DELETE FROM pending_sign_ins WHERE expires_at <= ?1", &[now.into()])
}
