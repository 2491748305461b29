//! A changed record.

use kernel::{Result, TenantScope};
use serde_json::{Map, Value};

use super::{Record, RecordRef, change, locked};
use crate::{Records, document};

impl Records {
    /// Merges `patch` into a record (RFC 7396: null removes a member) and emits the events of the change. `writable`: the members that the
    /// caller may change; none: all but those that the server sets. A change that changes nothing emits nothing; stamps that are set at
    /// every update are a change.
    ///
    /// Errors: 404, 422 `validation_failed`, 413 `record_too_large`, 409 `not_unique`.
    pub async fn update(
        &self,
        scope: &TenantScope,
        resource: &str,
        reference: RecordRef,
        patch: Map<String, Value>,
        writable: Option<&[String]>,
    ) -> Result<Record> {
        let task = self.task(resource, scope)?;
        document::check_depth(&patch)?;
        document::check_members(&task.resource_type, &patch, writable)?;
        self.store
            .answer(scope, move |tx| {
                let before = locked(tx, &task, &reference)?;
                let mut document = before.document.clone();
                document::merge(&task.resource_type, &mut document, patch);
                change(tx, &task, before, document)
            })
            .await
    }
}
