//! What a declared endpoint does to a record: a change with members that the endpoint itself sets, or one member put anew.

use kernel::{EventType, Result, TenantScope};
use serde_json::{Map, Value};
use store::Tx;

use super::{Record, RecordRef, change, locked};
use crate::{Records, Task, changes, document};

/// What was sent.
#[derive(Clone, Debug)]
pub enum Sent {
    /// Members that are merged in (RFC 7396).
    Patch(Map<String, Value>),
    /// All members: what is not sent goes, or takes its default value; what the caller may not write stays.
    Whole(Map<String, Value>),
    /// One member, in place of what it was.
    Member(String, Value),
}

/// A change of a record by a declared endpoint.
#[derive(Clone, Debug)]
pub struct Act {
    /// What was sent.
    pub sent: Sent,
    /// The members that the caller may write; none: all but those that the server sets.
    pub writable: Option<Vec<String>>,
    /// Members that are set whatever the caller may write.
    pub set: Map<String, Value>,
    /// An event that is emitted beside those of the change: where `set` has something, only if the record was not so already.
    pub emits: Option<EventType>,
    /// Only a record with this value in this member is found: a child of the parent that the path names.
    pub below: Option<(String, Value)>,
}

impl Records {
    /// Changes a record as a declared endpoint says.
    ///
    /// Errors: 404; 422 `validation_failed`; 413 `record_too_large`; 409 `not_unique`, `transition_refused`.
    pub async fn act(&self, scope: &TenantScope, resource: &str, reference: RecordRef, act: Act) -> Result<Record> {
        let task = self.task(resource, scope)?;
        check(&task, &act)?;
        self.store
            .answer(scope, move |tx| {
                let before = locked(tx, &task, &reference)?;
                below(&task, &before, act.below.as_ref())?;
                let (emits, was) = (act.emits.clone(), (!act.set.is_empty()).then(|| before.document.clone()));
                let after = apply(tx, &task, before, act)?;
                if was.is_none_or(|was| differs(&task, &was, &after.document)) {
                    changes::also(tx, &task, &after, emits)?;
                }
                Ok(after)
            })
            .await
    }

    /// Deletes a record that belongs to the parent that a path names. Errors: 404, 409 `has_children`.
    pub async fn delete_below(&self, scope: &TenantScope, resource: &str, reference: RecordRef, parent: (String, Value)) -> Result<()> {
        let record = self.get(scope, resource, reference).await?;
        below(&self.task(resource, scope)?, &record, Some(&parent))?;
        self.delete(scope, resource, RecordRef::Id(record.id)).await
    }
}

fn check(task: &Task, act: &Act) -> Result<()> {
    let kind = &task.resource_type;
    match &act.sent {
        Sent::Patch(members) | Sent::Whole(members) => {
            document::check_depth(members)?;
            document::check_members(kind, members, act.writable.as_deref())
        }
        Sent::Member(name, value) => document::check_depth(&Map::from_iter([(name.clone(), value.clone())])),
    }
}

/// Whether more than the time of a change is another now: who repeats an act changes nothing.
fn differs(task: &Task, was: &Map<String, Value>, is: &Map<String, Value>) -> bool {
    let stamps = &task.resource_type.resource().stamps;
    let mut names = was.keys().chain(is.keys()).filter(|name| !stamps.iter().any(|stamp| stamp.field == **name));
    names.any(|name| was.get(name) != is.get(name))
}

/// A record of another parent is not found. Error: 404.
fn below(task: &Task, record: &Record, parent: Option<&(String, Value)>) -> Result<()> {
    match parent {
        Some((member, id)) if record.document.get(member) != Some(id) => Err(kernel::Error::not_found(task.resource_type.name())),
        _ => Ok(()),
    }
}

fn apply(tx: &mut Tx<'_>, task: &Task, before: Record, act: Act) -> Result<Record> {
    let kind = &task.resource_type;
    let mut document = before.document.clone();
    match act.sent {
        Sent::Patch(patch) => document::merge(kind, &mut document, patch),
        Sent::Whole(members) => {
            let stays = |name: &String| kind.is_server_set(name) || act.writable.as_ref().is_some_and(|names| !names.contains(name));
            let kept: Vec<(String, Value)> = document.into_iter().filter(|(name, _)| stays(name)).collect();
            document = document::complete(kind, members);
            document.extend(kept);
        }
        Sent::Member(name, Value::Null) if kind.null_is_absent(&name) => {
            document.shift_remove(&name);
        }
        Sent::Member(name, value) => {
            document.insert(name, value);
        }
    }
    let task = task.setting(&act.set);
    document.extend(act.set);
    change(tx, &task, before, document)
}
