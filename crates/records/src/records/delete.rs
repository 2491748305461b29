//! A record less.

use kernel::{Error, Result, TenantScope};
use serde_json::json;
use store::Tx;

use super::{Record, RecordRef, locked, parents, singletons, sql};
use crate::changes::{self, Change};
use crate::{Records, Task, fields, search};

/// Most steps of one request.
const MAX_STEPS: usize = 100;

impl Records {
    /// Deletes a record, with the children that go with it, and emits the events. Where more than a thousand go, they go before it, a thousand
    /// in a transaction: whoever looks meanwhile sees the record with fewer and fewer children.
    ///
    /// Errors: 404, 409 `has_children`, 409 `singleton`, 409 `cascade_unfinished`.
    pub async fn delete(&self, scope: &TenantScope, resource: &str, reference: RecordRef) -> Result<()> {
        let task = self.task(resource, scope)?;
        singletons::refuse(&task.resource_type)?;
        if parents::goes_in_steps(&task) {
            self.thin(scope, &task, &reference).await?;
        }
        self.store
            .answer(scope, move |tx| {
                let record = locked(tx, &task, &reference)?;
                parents::before_delete(tx, &task, &record)?;
                remove(tx, &task, &record)
            })
            .await
    }
}

impl Records {
    /// Takes children until those that are left can go with their parent. Each step stands by itself: who is cut off repeats the request.
    async fn thin(&self, scope: &TenantScope, task: &Task, reference: &RecordRef) -> Result<()> {
        for _ in 0..MAX_STEPS {
            let (weighed, named) = (task.clone(), reference.clone());
            let weight = move |tx: &mut Tx<'_>| match sql::find(tx, weighed.tenant, weighed.resource_type.name(), &named)? {
                Some(record) => parents::weight(tx, &weighed, &record, weighed.cascade + 1),
                // That it is not there is told by the deletion itself.
                None => Ok(0),
            };
            if self.store.read(scope, weight).await? <= task.cascade {
                return Ok(());
            }
            let (task, reference) = (task.clone(), reference.clone());
            let step = move |tx: &mut Tx<'_>| {
                let record = locked(tx, &task, &reference)?;
                parents::thin(tx, &task, &record, &mut task.cascade.clone())
            };
            self.store.write(scope, step).await?;
        }
        let gone = MAX_STEPS * task.cascade;
        let detail =
            format!("{gone} records that go with this {} are gone, and more are left. Send the request again.", task.resource_type.name());
        Err(Error::conflict("cascade_unfinished", detail))
    }
}

/// Deletes a record whose row is locked, and emits its event.
pub(super) fn remove(tx: &mut Tx<'_>, task: &Task, record: &Record) -> Result<()> {
    let now = tx.now();
    fields::remove(tx, task.tenant, record.id)?;
    search::remove(tx, task.tenant, task.resource_type.name(), record.id, record.created_at)?;
    sql::delete(tx, task, record.id)?;
    tx.audit_with("record.delete", record.id, &json!({ "resource": task.resource_type.name() }))?;
    changes::emit(tx, task, &Change::Deleted(record), now)?;
    task.tell(tx, &[record.id], true)
}
