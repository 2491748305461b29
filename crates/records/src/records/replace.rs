//! A record whose members are all sent anew.

use kernel::{Result, TenantScope};
use serde_json::{Map, Value};
use store::Tx;

use super::create::sent;
use super::{Record, RecordRef, change, locked};
use crate::{Records, Task};

impl Records {
    /// Replaces a record's members by those of `document`: what is not sent goes, or takes its default value; stamps stay, and so do members
    /// that partners do not set (`server_set`) and those that the caller may not (`guarded`), unless they are sent.
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
    let resource = task.resource_type.resource();
    let theirs = resource.server_set.iter().chain(task.barred.iter().filter(|one| one.to.is_empty()).map(|one| &one.field));
    let stays = resource.stamps.iter().map(|stamp| &stamp.field).chain(theirs.filter(|name| !document.contains_key(*name)));
    let kept: Vec<_> = stays.filter_map(|name| Some((name.clone(), before.document.get(name)?.clone()))).collect();
    document.extend(kept);
    change(tx, task, before, document)
}
