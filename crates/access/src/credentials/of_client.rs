//! The holders of a client's keys, for who shows how their limits stand.

use kernel::{ClientId, Result, TenantScope, Timestamp};

use super::{Principal, load, sql};
use crate::Access;

/// Most keys that are looked at.
const MOST: u32 = 50;

/// A key and its holder.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// The key's name.
    pub name: String,
    /// What it may do, and what limits it.
    pub principal: std::sync::Arc<Principal>,
}

impl Access {
    /// The holders of a client's keys that are accepted now: at most 50, those used last first. Errors: those of the store.
    pub async fn holders_of(&self, scope: TenantScope, client: ClientId, now: Timestamp) -> Result<Vec<KeyHolder>> {
        let tenant = scope.tenant();
        let rows = self.store.read(scope, move |tx| sql::of_client(tx, tenant, client, MOST)).await?;
        let alive = rows.into_iter().filter(|row| row.expires_at.is_none_or(|end| end > now));
        Ok(alive
            .map(|row| KeyHolder {
                name: row.name.clone(),
                principal: load::entry(sql::Found::Key(Box::new(row)), &self.blueprint).principal,
            })
            .collect())
    }
}
