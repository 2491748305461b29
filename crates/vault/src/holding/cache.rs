//! Tokens that were used lately, opened.
//!
//! What is stale does no harm: the vendor refuses it, and [`crate::Vault::renew`] asks the database. So the only race that matters is one that would
//! keep it stale for long: what was read before a change is not kept over it (`since`).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{OauthTokenId, Result, Secret, TenantId, Timestamp};
use store::{Change, Tx};

use super::Held;
use crate::TOPIC;
use crate::providers;
use crate::tokens::{self, Row, Status, margin};

/// Most tokens that are remembered.
const MOST: usize = 10_000;

/// A token, opened. No `Debug` of it shows a secret.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) tenant: TenantId,
    pub(crate) provider: String,
    pub(crate) status: Status,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) refreshed_at: Timestamp,
    pub(crate) held: Held,
}

impl Loaded {
    /// A row with its secrets.
    pub(crate) fn read(tx: &mut Tx<'_>, row: Row) -> Result<Self> {
        let sealed = tokens::sql::sealed(tx, row.tenant, row.id)?;
        let built_in = providers::named(&row.provider)?;
        let mut metadata = row.metadata;
        metadata.extend(sealed.hidden_members());
        Ok(Self {
            tenant: row.tenant,
            status: row.status,
            expires_at: row.expires_at,
            refreshed_at: row.refreshed_at,
            held: Held {
                provider: row.provider.clone(),
                token: sealed.access.unwrap_or_else(|| Secret::new(String::new())),
                generation: row.generation,
                scheme: row.settings.provider(built_in).scheme,
                base_url: row.base_url,
                metadata,
                account: row.account,
                scopes: row.scopes,
            },
            provider: row.provider,
        })
    }

    /// Whether it is good, and not about to end.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|until| now < until.minus(margin(self.refreshed_at, until)))
    }

    /// Whether it is good.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|until| now < until)
    }
}

#[derive(Default)]
struct Known {
    tokens: HashMap<OauthTokenId, Arc<Loaded>>,
    changes: u64,
}

/// The cache.
#[derive(Default)]
pub(crate) struct Cache(RwLock<Known>);

impl Cache {
    /// A tenant's token, if it is known.
    pub(crate) fn get(&self, tenant: TenantId, id: OauthTokenId) -> Option<Arc<Loaded>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.tokens.get(&id).filter(|loaded| loaded.tenant == tenant).cloned()
    }

    /// How many changes were seen; to be taken before reading.
    pub(crate) fn since(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).changes
    }

    /// Keeps what was read, unless something changed since.
    pub(crate) fn put(&self, since: u64, id: OauthTokenId, loaded: &Arc<Loaded>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.changes != since {
            return;
        }
        if known.tokens.len() >= MOST
            && let Some(victim) = known.tokens.keys().next().copied()
        {
            known.tokens.remove(&victim);
        }
        known.tokens.insert(id, Arc::clone(loaded));
    }

    /// Drops what `change` is about; whether it is about tokens.
    pub(crate) fn forget(&self, change: &Change) -> bool {
        if !change.concerns(TOPIC) {
            return false;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.changes += 1;
        match change.key.parse::<OauthTokenId>() {
            Ok(id) if change.topic == TOPIC => {
                known.tokens.remove(&id);
            }
            _ => known.tokens.clear(),
        }
        true
    }
}
