//! A record, the ways to name one, and its operations.

mod act;
mod batch;
mod bulk;
mod create;
mod delete;
mod export;
mod get;
mod inside;
mod list;
mod look_up;
mod once;
mod parents;
mod replace;
pub(crate) mod singletons;
mod sql;
mod update;
mod upsert;

use std::str::FromStr;

use kernel::{Error, RecordId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Tx;

use crate::changes::{self, Change};
use crate::{Task, computed, document, fields, guarded, history, search, states};

pub use act::{Act, Sent};
pub use batch::{Item, ItemAct, ItemOutcome, MAX_BATCH};
pub use create::NewRecord;
pub use export::Export;
pub(crate) use list::{COLUMNS, Found, Place, Plan, arrange, beyond, rows_of};
pub use list::{Children, Edge, Edges};
pub(crate) use sql::{find, read as read_record, rows_after, rows_since};
pub use upsert::Upserted;

/// A thing of a declared kind. How it looks on the wire is the resource type's business ([`crate::ResourceType::wire`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Our id.
    pub id: RecordId,
    /// Its number, where the resource type names its records by integers.
    pub number: Option<i64>,
    /// The host's id.
    pub external_id: Option<String>,
    /// Its own members, without those that the server adds.
    pub document: Map<String, Value>,
    /// 1 at creation, one more with every change.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How a path names a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordRef {
    /// By our id.
    Id(RecordId),
    /// By its number.
    Number(i64),
    /// By the host's id: `ext:<externalId>`.
    External(String),
}

impl FromStr for RecordRef {
    type Err = Error;

    /// Errors: 404 for what cannot name a record, 422 for an external id that breaks the rules of external ids.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(external) = text.strip_prefix("ext:") {
            return kernel::text::external_id(external).map(Self::External);
        }
        // One spelling a number: `7`, not `07` or `+7`.
        let number = text.parse::<i64>().ok().filter(|number| *number > 0 && number.to_string() == text);
        number.map(Self::Number).map_or_else(|| text.parse().map(Self::Id).map_err(|_| Error::not_found("record")), Ok)
    }
}

/// Finishes a change of a record whose row is locked: stamps, checks, writes, indexes, audits and emits. Nothing of that if nothing changed.
pub(crate) fn change(tx: &mut Tx<'_>, task: &Task, before: Record, mut document: Map<String, Value>) -> Result<Record> {
    let kind = &task.resource_type;
    let now = tx.now();
    kind.stamp(&mut document, now, false);
    if document == before.document {
        return Ok(before);
    }
    parents::settle(tx, task, Some(&before.document), &mut document)?;
    kind.stamp_values(&before.document, &mut document, now);
    computed::apply(kind, &mut document);
    let document = document::check(kind, document)?;
    guarded::check(task, Some(&before.document), &document)?;
    states::follow(kind, &before.document, &document)?;
    let changed: Vec<&String> = document
        .iter()
        .filter(|(name, value)| before.document.get(*name) != Some(*value))
        .map(|(name, _)| name)
        .chain(before.document.keys().filter(|name| !document.contains_key(*name)))
        .collect();
    let detail = json!({ "resource": kind.name(), "changed": changed });
    let after = Record { document, revision: before.revision + 1, updated_at: now, ..before.clone() };
    sql::update(tx, task, &after)?;
    fields::write(tx, task.tenant, kind, Some(&before), &after)?;
    search::remember(tx, task.tenant, kind, Some(&before), &after, &task.around.tidings)?;
    tx.audit_with("record.update", after.id, &detail)?;
    changes::emit(tx, task, &Change::Updated { before: &before, after: &after }, now)?;
    task.tell(tx, &[after.id], false)?;
    history::keep(tx, task, Some(&before.document), &after.document)?;
    Ok(after)
}

/// Finds and locks the record that holds a unique value, if there is one.
pub(crate) fn locked_by_unique(tx: &mut Tx<'_>, task: &Task, member: &str, value: &serde_json::Value) -> Result<Option<Record>> {
    match fields::holder(tx, task.tenant, task.resource_type.name(), member, value)? {
        Some(id) => sql::lock(tx, task, id),
        None => Ok(None),
    }
}

/// A new record without an external id.
pub(crate) fn insert_record(tx: &mut Tx<'_>, task: &Task, document: Map<String, serde_json::Value>) -> Result<Option<Record>> {
    create::insert(tx, task, document, None)
}

/// Finds and locks the record that is to be changed. Error: 404.
fn locked(tx: &mut Tx<'_>, task: &Task, reference: &RecordRef) -> Result<Record> {
    let found = sql::find(tx, task.tenant, task.resource_type.name(), reference)?;
    let locked = match found {
        Some(record) => sql::lock(tx, task, record.id)?,
        None => singletons::missing(tx, task, reference)?,
    };
    let record = locked.ok_or_else(|| Error::not_found(task.resource_type.name()))?;
    task.expected.check(&record)?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!("7".parse::<RecordRef>().unwrap(), RecordRef::Number(7));
        for bad in ["0", "-1", "+7", "07", "7.0", "", "rec_x", "99999999999999999999", "ext"] {
            assert_eq!(bad.parse::<RecordRef>().unwrap_err().kind(), kernel::Kind::NotFound, "{bad}");
        }
        assert_eq!("ext:a-1".parse::<RecordRef>().unwrap(), RecordRef::External("a-1".into()));
        assert!("ext:".parse::<RecordRef>().is_err());
    }
}
