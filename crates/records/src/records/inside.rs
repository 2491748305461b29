//! Records inside another feature's transaction: a job that starts makes one, and its result changes it.

use kernel::{Error, Result, TenantScope};
use serde_json::{Map, Value};
use store::Tx;

use super::create::insert;
use super::{Record, RecordRef, change, locked};
use crate::{Records, document};

impl Records {
    /// Creates a record in `tx`, as [`Records::create`] does. Its members have been chosen by the feature: those that the
    /// server sets are among them.
    ///
    /// Errors: as [`Records::create`].
    pub fn create_in(&self, tx: &mut Tx<'_>, scope: &TenantScope, resource: &str, document: Map<String, Value>) -> Result<Record> {
        let task = self.task(resource, scope)?.unbarred();
        document::check_depth(&document)?;
        let document = document::complete(&task.resource_type, document);
        insert(tx, &task, document, None)?.ok_or_else(|| Error::internal("a record without an external id has one that is taken"))
    }

    /// Merges `patch` into a record in `tx` (RFC 7396), as [`Records::update`] does.
    ///
    /// Errors: as [`Records::update`].
    pub fn update_in(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        resource: &str,
        reference: &RecordRef,
        patch: Map<String, Value>,
    ) -> Result<Record> {
        let task = self.task(resource, scope)?.unbarred();
        document::check_depth(&patch)?;
        let before = locked(tx, &task, reference)?;
        let mut document = before.document.clone();
        document::merge(&task.resource_type, &mut document, patch);
        change(tx, &task, before, document)
    }
}
