//! One record.

use kernel::{Error, Result, TenantScope};

use super::{Record, RecordRef, sql};
use crate::Records;

impl Records {
    /// The record that `reference` names. Error: 404, also for another tenant's.
    pub async fn get(&self, scope: &TenantScope, resource: &str, reference: RecordRef) -> Result<Record> {
        let (tenant, name) = (scope.tenant(), self.resource_type(resource)?.name().to_owned());
        self.store.read(scope, move |tx| sql::find(tx, tenant, &name, &reference)?.ok_or_else(|| Error::not_found(&name))).await
    }
}
