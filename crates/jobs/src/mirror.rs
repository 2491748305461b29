//! Records that show how their jobs stand while these have not ended: `processing` when a worker has one, `pending` when it waits again. (How it
//! ended is told in the transaction of the end.)
//!
//! A transaction of its own, after that of the change: leasing works for all tenants at once, a record's change for its own. It takes hold of the
//! job's row and looks whether the job still stands so, so that no end is written over. If the server dies between the two, the record says what
//! it said before until the next change.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{JobId, Result, TenantId, TenantScope};
use serde_json::{Map, Value};
use store::Tx;

use crate::Jobs;
use crate::catalogue::Kind;
use crate::ending::forgive;
use crate::jobs::sql;

/// What a record is told of a job that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits.
    Pending,
    /// A worker has it.
    Processing,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
        }
    }

    /// Takes hold of the job's row, if it stands so.
    fn hold(self) -> &'static str {
        match self {
            Self::Pending => "UPDATE jobs SET worker = worker WHERE tenant_id = ?1 AND id = ?2 AND state IN ('held', 'ready', 'waiting')",
            Self::Processing => "UPDATE jobs SET worker = worker WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing'",
        }
    }
}

/// Whether records of this type show it.
pub(crate) fn is_shown(kind: &Kind) -> bool {
    kind.declared.record.as_ref().is_some_and(|link| link.status.is_some())
}

impl Jobs {
    /// Tells records how their jobs stand. What goes wrong is only noted: the jobs are what they are.
    pub(crate) async fn mirror(self: &Arc<Self>, jobs: impl IntoIterator<Item = (TenantId, JobId)>, standing: Standing) {
        let mut by_tenant: BTreeMap<TenantId, Vec<JobId>> = BTreeMap::new();
        for (tenant, id) in jobs {
            by_tenant.entry(tenant).or_default().push(id);
        }
        for (tenant, ids) in by_tenant {
            let (jobs, scope) = (Arc::clone(self), Self::system(tenant));
            let authority = scope.clone();
            let told = self.store.write(scope, move |tx| ids.iter().try_for_each(|id| jobs.mirror_in(tx, &authority, *id, standing)));
            if let Err(error) = told.await {
                tracing::warn!(?error, "records could not be told how their jobs stand");
            }
        }
    }

    /// The same for one job, in a transaction of its tenant.
    pub(crate) fn mirror_in(&self, tx: &mut Tx<'_>, scope: &TenantScope, id: JobId, standing: Standing) -> Result<()> {
        let tenant = scope.tenant();
        if tx.exec(standing.hold(), &[tenant.into(), id.into()])? == 0 {
            return Ok(());
        }
        let Some(row) = sql::get_short(tx, tenant, id)? else { return Ok(()) };
        let Some(kind) = self.catalogue.find(&row.kind).map(Arc::clone) else { return Ok(()) };
        let Some(member) = kind.declared.record.as_ref().and_then(|link| link.status.clone()) else { return Ok(()) };
        let patch = Map::from_iter([(member, Value::from(standing.word()))]);
        // In a savepoint: what the record does not take leaves nothing behind.
        tx.attempt(|tx| self.patch_record(tx, scope, &kind, &row, patch))?.or_else(forgive)
    }
}
