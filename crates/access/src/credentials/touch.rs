//! When keys were last used and how often, collected off the request path.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kernel::id::TypedId as _;
use kernel::{KeyId, Result, Scope, Timestamp};
use store::{Store, Tx};

const SHARDS: usize = 16;
/// Rows written in one function, so that a flush of many keys does not hold the writer long.
const PER_WRITE: usize = 200;

const UPDATE: &str = "UPDATE api_keys SET request_count = request_count + CAST(?2 AS BIGINT), \
     last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < CAST(?3 AS BIGINT) THEN CAST(?3 AS BIGINT) ELSE last_used_at END \
     WHERE id = ?1";

#[derive(Clone, Copy, Debug)]
struct Use {
    count: u64,
    last: Timestamp,
}

/// The uses that are not written yet.
#[derive(Default)]
pub(crate) struct Touches {
    shards: [Mutex<HashMap<KeyId, Use>>; SHARDS],
}

impl Touches {
    pub(crate) fn note(&self, key: KeyId, at: Timestamp) {
        self.add(key, Use { count: 1, last: at });
    }

    fn add(&self, key: KeyId, more: Use) {
        let shard = &self.shards[(key.uuid().as_u128() % SHARDS as u128) as usize];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shard.entry(key).or_insert(Use { count: 0, last: more.last });
        known.count += more.count;
        known.last = known.last.max(more.last);
    }

    pub(crate) async fn flush(&self, store: &Store) -> Result<()> {
        let taken: Vec<(KeyId, Use)> =
            self.shards.iter().flat_map(|shard| std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner))).collect();
        for (index, part) in taken.chunks(PER_WRITE).enumerate() {
            let rows = part.to_vec();
            if let Err(error) = store.write(Scope::system("access"), move |tx| write(tx, &rows)).await {
                taken[index * PER_WRITE..].iter().for_each(|(key, uses)| self.add(*key, *uses));
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Under a system scope, since a group mixes tenants. A key that is gone meanwhile changes nothing.
fn write(tx: &mut Tx<'_>, rows: &[(KeyId, Use)]) -> Result<()> {
    for (key, uses) in rows {
        tx.exec(UPDATE, &[(*key).into(), uses.count.into(), uses.last.into()])?;
    }
    Ok(())
}
