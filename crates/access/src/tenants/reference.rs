//! Tenants by the id in a `Tradewind-Tenant` header or a body's `tenantId`, answered from memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use kernel::{Caller, Error, IdRef, Result, Scope, TenantId};
use store::Change;

use super::sql;
use crate::{Access, tenants};

/// Most references kept; past it, all are dropped and found again.
const MOST: usize = 50_000;

#[derive(Default)]
struct Known {
    ids: HashMap<TenantId, ()>,
    external: HashMap<String, TenantId>,
}

/// References that were asked for lately. Like the key cache: what is unknown is not kept, and nothing that was read before a change is.
#[derive(Default)]
pub(crate) struct References {
    generation: AtomicU64,
    known: RwLock<Known>,
}

impl References {
    fn get(&self, reference: &IdRef<TenantId>) -> Option<TenantId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match reference {
            IdRef::Id(id) => known.ids.contains_key(id).then_some(*id),
            IdRef::External(external) => known.external.get(external).copied(),
        }
    }

    fn insert(&self, reference: &IdRef<TenantId>, id: TenantId, since: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::SeqCst) != since {
            return;
        }
        if known.ids.len() + known.external.len() >= MOST {
            *known = Known::default();
        }
        known.ids.insert(id, ());
        if let IdRef::External(external) = reference {
            known.external.insert(external.clone(), id);
        }
    }

    pub(crate) fn forget(&self, change: &Change) {
        if change.concerns(tenants::TOPIC) {
            self.generation.fetch_add(1, Ordering::SeqCst);
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
        }
    }
}

impl Access {
    /// The tenant that a service key names. Errors: 404; those of the store.
    pub async fn tenant_ref(&self, reference: IdRef<TenantId>) -> Result<TenantId> {
        if let Some(known) = self.tenants.get(&reference) {
            return Ok(known);
        }
        let since = self.tenants.generation.load(Ordering::SeqCst);
        let asked = reference.clone();
        let id = self.store.read(Scope::system("access"), move |tx| Ok(sql::get(tx, &asked)?.id)).await?;
        self.tenants.insert(&reference, id, since);
        Ok(id)
    }

    /// The caller acting for the tenant that a body's `tenantId` names (`ten_…` or `ext:…`), if it names one.
    ///
    /// Errors: 404 for a tenant that does not exist or is not the caller's; 422 `validation_failed` for what is no id.
    pub(crate) async fn acting_for(&self, caller: &Caller, named: Option<&str>) -> Result<Caller> {
        let Some(named) = named else { return Ok(caller.clone()) };
        let reference = named.parse().map_err(|_| Error::field("/tenantId", "must be ten_… or ext: and the host's id"))?;
        caller.acting_for(Some(self.tenant_ref(reference).await?))
    }
}
