//! Counting uses: in memory, written every few seconds and before the server stops.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kernel::{OauthTokenId, Result, Scope, TenantId, TenantScope, Timestamp};

use crate::{PART, Vault, tokens};

const HOUR_MS: i64 = 3_600_000;
/// Rows in one transaction.
const STEP: usize = 200;

/// Tenant, token, hour and who.
type Key = (TenantId, OauthTokenId, i64, String);
/// How often, and when last.
type Count = (u64, Timestamp);

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct Uses(Mutex<HashMap<Key, Count>>);

impl Uses {
    pub(crate) fn add(&self, scope: &TenantScope, id: OauthTokenId, now: Timestamp) {
        let by = Scope::from(scope.clone()).actor().to_string();
        let hour = now.millis().div_euclid(HOUR_MS) * HOUR_MS;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = kept.entry((scope.tenant(), id, hour, by)).or_insert((0, now));
        *count = (count.0 + 1, now);
    }

    fn take(&self) -> Vec<(Key, Count)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    fn put_back(&self, all: Vec<(Key, Count)>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, (uses, last)) in all {
            let count = kept.entry(key).or_insert((0, last));
            *count = (count.0 + uses, count.1.max(last));
        }
    }
}

impl Vault {
    /// Writes the uses that are only in memory.
    pub async fn flush(&self) -> Result<()> {
        let mut all = self.uses.take();
        while !all.is_empty() {
            let step: Vec<_> = all.split_off(all.len().saturating_sub(STEP));
            let written = step.clone();
            let write = self.store.write(Scope::system(PART), move |tx| {
                for ((tenant, id, hour, by), (uses, last)) in written {
                    tokens::sql::add_uses(tx, tenant, id, Timestamp::from_millis(hour), &by, uses, last)?;
                }
                Ok(())
            });
            if let Err(error) = write.await {
                all.extend(step);
                self.uses.put_back(all);
                return Err(error);
            }
        }
        Ok(())
    }
}
