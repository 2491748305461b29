//! Proofs that were used (RFC 9449 §11.1), remembered for as long as they would be accepted, and not longer than twice that.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use kernel::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Nonces;

/// Most that each of the two halves holds. Only holders of good tokens add to them, and limits bind those.
const MOST: usize = 250_000;

/// What this node has seen. Two halves, so that forgetting costs nothing: the older one goes as a whole.
#[derive(Default)]
pub struct Replays(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    since: i64,
    newer: HashSet<[u8; 16]>,
    older: HashSet<[u8; 16]>,
}

impl Replays {
    /// Whether this is the first use of `jti` with the key `jkt`; from now on it is not.
    pub fn is_first(&self, jkt: &str, jti: &str, now: Timestamp) -> bool {
        let name = digest(jkt, jti);
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lifetime = i64::try_from(Nonces::lifetime().as_millis()).unwrap_or(i64::MAX);
        let age = now.millis().saturating_sub(halves.since);
        if age >= lifetime || halves.newer.len() >= MOST {
            halves.older = if age >= lifetime.saturating_mul(2) { HashSet::new() } else { std::mem::take(&mut halves.newer) };
            halves.newer.clear();
            halves.since = now.millis();
        }
        !halves.older.contains(&name) && halves.newer.insert(name)
    }
}

/// Fixed in size, whatever the client chose.
pub(super) fn digest(jkt: &str, jti: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    // A thumbprint has no colon.
    hash.update(jkt.as_bytes());
    hash.update(b":");
    hash.update(jti.as_bytes());
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finalize()[..16]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_proof_is_used_once_while_it_would_be_accepted() {
        let (replays, start) = (Replays::default(), Timestamp::from_millis(1_800_000_000_000));
        let at = |seconds: u64| start.plus(Duration::from_secs(seconds));
        assert!(replays.is_first("key", "a", at(0)) && !replays.is_first("key", "a", at(0)));
        assert!(replays.is_first("another", "a", at(1)) && replays.is_first("key", "b", at(299)));
        assert!(!replays.is_first("key", "b", at(301)) && !replays.is_first("key", "b", at(598)), "it may be 299 s old");
        assert!(replays.is_first("key", "a", at(1300)), "forgotten long after it could be used");
    }

    #[test]
    fn memory_is_bounded() {
        let (replays, at) = (Replays::default(), Timestamp::from_millis(1_800_000_000_000));
        for n in 0..(3 * MOST) {
            assert!(replays.is_first("key", &n.to_string(), at));
        }
        let halves = replays.0.lock().unwrap();
        assert!(halves.newer.len() <= MOST && halves.older.len() <= MOST);
        assert!(
            halves.older.contains(&digest("key", &(2 * MOST - 1).to_string()))
                || halves.newer.contains(&digest("key", &(3 * MOST - 1).to_string()))
        );
    }
}
