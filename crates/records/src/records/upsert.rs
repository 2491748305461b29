//! Create or replace, by the host's id.

use kernel::{Error, Result, TenantScope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;

use super::create::{insert, sent};
use super::replace::replaced;
use super::{Record, RecordRef, singletons, sql};
use crate::{Records, Task};

/// What an upsert did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upserted {
    /// The record as it is now.
    pub record: Record,
    /// Whether it is new.
    pub created: bool,
}

impl Records {
    /// Creates the record with this external id, or replaces its members if there is one. Two at once make one record.
    ///
    /// Errors: 422 `validation_failed`, 413 `record_too_large`, 409 `not_unique`.
    pub async fn upsert(&self, scope: &TenantScope, resource: &str, external_id: &str, document: Map<String, Value>) -> Result<Upserted> {
        let task = self.task(resource, scope)?;
        let external_id = kernel::text::external_id(external_id)?;
        let document = sent(&task, document, None)?;
        self.store.answer(scope, move |tx| upsert(tx, &task, external_id, document)).await
    }
}

pub(super) fn upsert(tx: &mut Tx<'_>, task: &Task, external_id: String, document: Map<String, Value>) -> Result<Upserted> {
    let reference = RecordRef::External(external_id.clone());
    if let Some(before) = present(tx, task, &reference)? {
        return Ok(Upserted { record: replaced(tx, task, before, document)?, created: false });
    }
    if let Some(before) = singletons::missing(tx, task, &reference)? {
        return Ok(Upserted { record: replaced(tx, task, before, document)?, created: true });
    }
    singletons::refuse(&task.resource_type)?;
    task.expected.check_absent()?;
    if let Some(record) = insert(tx, task, document.clone(), Some(external_id))? {
        return Ok(Upserted { record, created: true });
    }
    // Somebody else made it since we looked: the insert waited for that commit, so now it is here (or gone again).
    let before = present(tx, task, &reference)?.ok_or_else(gone)?;
    Ok(Upserted { record: replaced(tx, task, before, document)?, created: false })
}

pub(super) fn present(tx: &mut Tx<'_>, task: &Task, reference: &RecordRef) -> Result<Option<Record>> {
    match sql::find(tx, task.tenant, task.resource_type.name(), reference)? {
        Some(record) => {
            let locked = sql::lock(tx, task, record.id)?;
            if let Some(record) = &locked {
                task.expected.check(record)?;
            }
            Ok(locked)
        }
        None => Ok(None),
    }
}

fn gone() -> Error {
    Error::conflict("record_busy", "The record was created and deleted at the same time. Try again.")
}
