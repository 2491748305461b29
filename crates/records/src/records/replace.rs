//! A record whose members are all sent anew.

use kernel::{Result, TenantScope};
use serde_json::{Map, Value};
use store::Tx;

use super::create::sent;
use super::{Record, RecordRef, change, locked};
use crate::{Records, Task};

impl Records {
    /// Replaces a record's members by those of `document`: what is not sent goes, or takes its default value; stamps stay.
    ///
    /// Errors: as for an update.
    pub async fn replace(&self, scope: &TenantScope, resource: &str, reference: RecordRef, document: Map<String, Value>) -> Result<Record> {
        let task = self.task(resource, scope)?;
        let document = sent(&task, document, None)?;
        self.store
            .answer(scope, move |tx| {
                let before = locked(tx, &task, &reference)?;
                replaced(tx, &task, before, document)
            })
            .await
    }
}

/// Puts a whole document in the place of a locked record's.
pub(super) fn replaced(tx: &mut Tx<'_>, task: &Task, before: Record, mut document: Map<String, Value>) -> Result<Record> {
    for stamp in &task.resource_type.resource().stamps {
        if let Some(value) = before.document.get(&stamp.field) {
            document.insert(stamp.field.clone(), value.clone());
        }
    }
    change(tx, task, before, document)
}
