//! Assertions and proofs that are good once, on whatever node: remembered in the database for as long as they would be accepted.

use kernel::{Result, Timestamp};
use sha2::{Digest as _, Sha256};
use store::Tx;

/// What is remembered: two kinds never meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// An assertion of a client (RFC 7523 §3): `owner` is the client.
    Assertion,
    /// A proof at the token endpoint (RFC 9449 §11.1): `owner` is the key.
    Proof,
}

/// Whether this is the first use; from now on it is not, on any node. Of many at once one is first.
pub(crate) fn is_first(tx: &mut Tx<'_>, kind: Kind, owner: &str, jti: &str, until: Timestamp) -> Result<bool> {
    let mut hash = Sha256::new();
    for part in [format!("{kind:?}").as_str(), owner, jti] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let name = hash.finalize().to_vec();
    let sql = "INSERT INTO oauth_used_tokens (name, expires_at) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    Ok(tx.exec(sql, &[name.into(), until.into()])? > 0)
}

/// Forgets what would not be accepted any more, at most so many; how many there were.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM oauth_used_tokens WHERE name IN \
         (SELECT name FROM oauth_used_tokens WHERE expires_at < CAST(?1 AS BIGINT) ORDER BY expires_at LIMIT ?2)";
    tx.exec(sql, &[before.into(), limit.into()])
}
