//! A record less.

use kernel::{Result, TenantScope};
use serde_json::json;

use super::{RecordRef, locked, sql};
use crate::changes::{self, Change};
use crate::{Records, fields};

impl Records {
    /// Deletes a record and emits its event. Error: 404.
    pub async fn delete(&self, scope: &TenantScope, resource: &str, reference: RecordRef) -> Result<()> {
        let task = self.task(resource, scope)?;
        self.store
            .answer(scope, move |tx| {
                let record = locked(tx, &task, &reference)?;
                let now = tx.now();
                fields::remove(tx, task.tenant, &record)?;
                sql::delete(tx, &task, record.id)?;
                tx.audit_with("record.delete", record.id, &json!({ "resource": task.resource_type.name() }))?;
                changes::emit(tx, &task, &Change::Deleted(&record), now)
            })
            .await
    }
}
