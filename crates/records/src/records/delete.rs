//! A record less.

use kernel::{Result, TenantScope};
use serde_json::json;
use store::Tx;

use super::{Record, RecordRef, locked, parents, singletons, sql};
use crate::changes::{self, Change};
use crate::{Records, Task, fields, search};

impl Records {
    /// Deletes a record, with the children that go with it, and emits the events. Errors: 404, 409 `has_children`, 409 `singleton`.
    pub async fn delete(&self, scope: &TenantScope, resource: &str, reference: RecordRef) -> Result<()> {
        let task = self.task(resource, scope)?;
        singletons::refuse(&task.resource_type)?;
        self.store
            .answer(scope, move |tx| {
                let record = locked(tx, &task, &reference)?;
                parents::before_delete(tx, &task, &record)?;
                remove(tx, &task, &record)
            })
            .await
    }
}

/// Deletes a record whose row is locked, and emits its event.
pub(super) fn remove(tx: &mut Tx<'_>, task: &Task, record: &Record) -> Result<()> {
    let now = tx.now();
    fields::remove(tx, task.tenant, record)?;
    search::remove(tx, task.tenant, task.resource_type.name(), record.id, record.created_at)?;
    sql::delete(tx, task, record.id)?;
    tx.audit_with("record.delete", record.id, &json!({ "resource": task.resource_type.name() }))?;
    changes::emit(tx, task, &Change::Deleted(record), now)
}
