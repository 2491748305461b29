//! Changes of our records into the outboxes of those that follow them: the transactional outbox.
//!
//! The common case, a tenant without syncs, costs a look into a set in memory. The set is refilled after every notice about a sync; until it is, and
//! whenever it cannot be trusted, the database decides.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use kernel::{RecordId, Result, SyncConfigId, TenantId};
use records::Watcher;
use store::{Store, Tx};

use crate::ledger::Of;
use crate::{TOPIC_CONFIGS, TOPIC_WORK, configs};

#[derive(Default)]
struct Known {
    /// Counts notices, so that what was read before one is not kept after it.
    generation: u64,
    /// Which resource types of which tenants are followed; none: not known.
    followed: Option<HashMap<TenantId, HashSet<String>>>,
}

/// Hears changes of records. The binary gives it to [`records::Records::set_watcher`].
pub struct Watched {
    store: Store,
    known: RwLock<Known>,
}

impl Watched {
    /// Follows the syncs of `store` from now on. Must be called on a tokio runtime.
    pub async fn new(store: &Store) -> Arc<Self> {
        let watched = Arc::new(Self { store: store.clone(), known: RwLock::default() });
        let (weak, runtime) = (Arc::downgrade(&watched), tokio::runtime::Handle::current());
        store.on_change(Box::new(move |change| {
            if change.concerns(TOPIC_CONFIGS)
                && let Some(watched) = weak.upgrade()
            {
                watched.doubt();
                runtime.spawn(refill(Weak::clone(&weak)));
            }
        }));
        refill(Arc::downgrade(&watched)).await;
        watched
    }

    fn doubt(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.followed = None;
    }

    /// Whether nobody follows it, for certain.
    fn is_quiet(&self, tenant: TenantId, resource: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.followed.as_ref().is_some_and(|all| all.get(&tenant).is_none_or(|types| !types.contains(resource)))
    }
}

/// Reads anew what is followed.
async fn refill(watched: Weak<Watched>) {
    let Some(watched) = watched.upgrade() else { return };
    let generation = watched.known.read().unwrap_or_else(PoisonError::into_inner).generation;
    match watched.store.read(crate::scope(), configs::sql::followed).await {
        Ok(rows) => {
            let mut followed: HashMap<TenantId, HashSet<String>> = HashMap::new();
            for (tenant, resource) in rows {
                followed.entry(tenant).or_default().insert(resource);
            }
            let mut known = watched.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.generation == generation {
                known.followed = Some(followed);
            }
        }
        Err(error) => tracing::warn!(?error, "which records are followed by syncs could not be read; every change asks the database"),
    }
}

impl Watcher for Watched {
    fn changed(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        resource: &str,
        records: &[RecordId],
        gone: bool,
        origin: Option<&str>,
    ) -> Result<()> {
        if self.is_quiet(tenant, resource) {
            return Ok(());
        }
        let now = tx.now();
        let mut told: HashSet<SyncConfigId> = HashSet::new();
        for record in records {
            let found: Vec<SyncConfigId> = tx.query(
                "INSERT INTO sync_dirty (tenant_id, sync_id, record_id, version, since, due_at, attempts, gone) \
                 SELECT tenant_id, id, ?3, 1, CAST(?4 AS BIGINT), CAST(?4 AS BIGINT), 0, CAST(?5 AS BIGINT) FROM sync_configs \
                 WHERE tenant_id = ?1 AND resource = ?2 AND pushes = 1 AND id <> ?6 \
                 ON CONFLICT (tenant_id, sync_id, record_id) DO UPDATE SET version = sync_dirty.version + 1, due_at = excluded.due_at, attempts = 0, \
                 gone = excluded.gone, code = NULL, message = NULL, field = NULL RETURNING sync_id",
                &[tenant.into(), resource.into(), (*record).into(), now.into(), gone.into(), origin.unwrap_or_default().into()],
                |row| row.get(0),
            )?;
            told.extend(found);
        }
        for sync in told {
            tx.notify(TOPIC_WORK, Of { tenant, sync });
        }
        Ok(())
    }
}
