//! A new record.

use blueprint::model::IdForm;
use kernel::{Error, EventType, Result, TenantScope};
use serde_json::{Map, Value, json};
use store::Tx;

use super::{Record, parents, singletons, sql};
use crate::changes::{self, Change};
use crate::{Records, Task, computed, document, fields, guarded, history, search, states};

/// What is to be created.
#[derive(Clone, Debug, Default)]
pub struct NewRecord {
    /// Its members.
    pub document: Map<String, Value>,
    /// The host's id for it.
    pub external_id: Option<String>,
    /// The members that the caller may set; none: all but those that the server sets.
    pub writable: Option<Vec<String>>,
    /// Members that are set whatever the caller may set, in place of what was sent.
    pub set: Map<String, Value>,
    /// An event that is emitted beside those of the creation.
    pub emits: Option<EventType>,
}

impl Records {
    /// Creates a record: default values and stamps are filled in, and its event is emitted.
    ///
    /// Errors: 404 for an unknown resource type, 422 `validation_failed`, 413 `record_too_large`, 409 `external_id_taken`, 409 `not_unique`.
    pub async fn create(&self, scope: &TenantScope, resource: &str, new: NewRecord) -> Result<Record> {
        let task = self.task(resource, scope)?;
        let NewRecord { document, external_id, writable, set, emits } = new;
        singletons::refuse(&task.resource_type)?;
        let external_id = external_id.map(|id| kernel::text::external_id(&id)).transpose()?;
        let mut document = sent(&task, document, writable.as_deref())?;
        let task = task.setting(&set);
        document.extend(set);
        self.store
            .answer(scope, move |tx| {
                let record = fresh(tx, &task, document, external_id)?;
                changes::also(tx, &task, &record, emits)?;
                Ok(record)
            })
            .await
    }
}

/// A new record, whole, as one of many things that a function does.
pub(super) fn create(tx: &mut Tx<'_>, task: &Task, new: NewRecord) -> Result<Record> {
    singletons::refuse(&task.resource_type)?;
    let external_id = new.external_id.map(|id| kernel::text::external_id(&id)).transpose()?;
    let mut document = sent(task, new.document, new.writable.as_deref())?;
    let task = &task.setting(&new.set);
    document.extend(new.set);
    let record = fresh(tx, task, document, external_id)?;
    changes::also(tx, task, &record, new.emits)?;
    Ok(record)
}

fn fresh(tx: &mut Tx<'_>, task: &Task, document: Map<String, Value>, external_id: Option<String>) -> Result<Record> {
    insert(tx, task, document, external_id)?.ok_or_else(|| {
        let detail = format!("Another {} has this external id.", task.resource_type.name());
        Error::conflict("external_id_taken", detail).at("/externalId", "must be unique")
    })
}

/// A whole document that a caller sent, with default values.
pub(super) fn sent(task: &Task, document: Map<String, Value>, writable: Option<&[String]>) -> Result<Map<String, Value>> {
    document::check_depth(&document)?;
    document::check_members(&task.resource_type, &document, writable)?;
    Ok(document::complete(&task.resource_type, document))
}

/// Stores a new record. None: the external id is taken.
pub(super) fn insert(tx: &mut Tx<'_>, task: &Task, document: Map<String, Value>, external_id: Option<String>) -> Result<Option<Record>> {
    let kind = &task.resource_type;
    let now = tx.now();
    let mut document = document;
    kind.stamp(&mut document, now, true);
    parents::settle(tx, task, None, &mut document)?;
    kind.stamp_values(&Map::new(), &mut document, now);
    computed::apply(kind, &mut document);
    let document = document::check(kind, document)?;
    guarded::check(task, None, &document)?;
    states::begin(kind, &document)?;
    let id = task.around.next_id();
    let number = match kind.resource().id_form {
        IdForm::Integer => Some(sql::next_number(tx, kind.name())?),
        IdForm::TypeId => None,
    };
    let record = Record { id, number, external_id, document, revision: 1, created_at: now, updated_at: now };
    if !sql::insert(tx, task, &record)? {
        return Ok(None);
    }
    fields::write(tx, task.tenant, kind, None, &record)?;
    search::remember(tx, task.tenant, kind, None, &record, &task.around.tidings)?;
    tx.audit_with("record.create", id, &json!({ "resource": kind.name() }))?;
    changes::emit(tx, task, &Change::Created(&record), now)?;
    task.tell(tx, &[id], false)?;
    history::keep(tx, task, None, &record.document)?;
    Ok(Some(record))
}
