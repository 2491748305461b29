//! Many creations, changes and deletions in one call, each with a fate of its own.

use kernel::{Error, RecordId, Result, TenantScope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;

use super::create::{self, NewRecord};
use super::{Record, RecordRef, change, delete, locked, parents, replace, singletons, upsert};
use crate::expected::Expected;
use crate::resource_type::ResourceType;
use crate::{Records, Task, document};

/// Most items of one batch.
pub const MAX_BATCH: usize = 1000;
/// Items in one transaction, where nothing asks for a single one: others write in between.
const STEP: usize = 100;

/// One thing to do.
#[derive(Debug)]
pub struct Item {
    /// What.
    pub act: ItemAct,
    /// What the record must be.
    pub expected: Expected,
}

/// What to do.
#[derive(Debug)]
pub enum ItemAct {
    /// Create a record.
    Create(NewRecord),
    /// Merge members into one; the names are those that the caller may write, none: all but the server's.
    Update(RecordRef, Map<String, Value>, Option<Vec<String>>),
    /// Put all members anew.
    Replace(RecordRef, Map<String, Value>),
    /// Create the record with this external id, or put its members anew.
    Upsert(String, Map<String, Value>),
    /// Put the members of this record anew if it is there; else create one, with the external id.
    Put(RecordRef, Option<String>, Map<String, Value>),
    /// Delete it.
    Delete(RecordRef),
    /// It could not be understood.
    Faulty(Error),
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ItemOutcome {
    /// A record is there that was not.
    Created(Record),
    /// A record is as was asked.
    Changed(Record),
    /// A record is gone.
    Deleted(RecordRef),
    /// Nothing of this item happened; as `problem` renders the error.
    Failed(Value),
}

impl Records {
    /// Does what the items ask, in their order, each by itself: one that fails changes nothing, and the others happen all the same, with their
    /// events. With an idempotency key all of it is one transaction with its kept answer; otherwise some are committed at a time. `problem`
    /// shows an error.
    ///
    /// Errors: 422 `batch_too_large`; 404 for an unknown resource type; 503 if the database went away before anything was committed.
    pub async fn batch(
        &self,
        scope: &TenantScope,
        resource: &str,
        items: Vec<Item>,
        problem: fn(&Error) -> Value,
    ) -> Result<Vec<ItemOutcome>> {
        if items.len() > MAX_BATCH {
            let detail = format!("A batch has at most {MAX_BATCH} items; this one has {}.", items.len());
            return Err(Error::invalid("batch_too_large", detail));
        }
        let task = self.task(resource, scope)?;
        if scope.has_slot() {
            return self.store.answer(scope, move |tx| all(tx, &task, items, problem)).await;
        }
        let mut out = Vec::with_capacity(items.len());
        let mut items = items.into_iter();
        loop {
            let part: Vec<Item> = items.by_ref().take(STEP).collect();
            if part.is_empty() {
                return Ok(out);
            }
            let (task, count) = (task.clone(), part.len());
            match self.store.write(scope.clone(), move |tx| all(tx, &task, part, problem)).await {
                Ok(outcomes) => out.extend(outcomes),
                Err(error) if out.is_empty() => return Err(error),
                // What was committed before stands, and is told.
                Err(error) => out.extend(std::iter::repeat_n(ItemOutcome::Failed(problem(&error)), count)),
            }
        }
    }
}

impl Records {
    /// Does what at most a hundred items ask in one transaction, with the kept answer of the request's idempotency key if it has one. `tell`
    /// says of an outcome what is worth keeping.
    ///
    /// Errors: those of [`Records::batch`].
    pub async fn batch_at_once<T>(
        &self,
        scope: &TenantScope,
        resource: &str,
        items: Vec<Item>,
        problem: fn(&Error) -> Value,
        tell: fn(&ResourceType, ItemOutcome) -> T,
    ) -> Result<Vec<T>>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        if items.len() > STEP {
            return Err(Error::invalid("batch_too_large", format!("At most {STEP} items are done at once; these are {}.", items.len())));
        }
        let task = self.task(resource, scope)?;
        self.store
            .answer(scope, move |tx| {
                let kind = std::sync::Arc::clone(&task.resource_type);
                Ok(all(tx, &task, items, problem)?.into_iter().map(|outcome| tell(&kind, outcome)).collect())
            })
            .await
    }
}

fn all(tx: &mut Tx<'_>, task: &Task, items: Vec<Item>, problem: fn(&Error) -> Value) -> Result<Vec<ItemOutcome>> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let task = Task { expected: item.expected, ..task.clone() };
        let outcome = match item.act {
            ItemAct::Faulty(error) => Err(error),
            act => tx.attempt(|tx| one(tx, &task, act))?,
        };
        out.push(outcome.unwrap_or_else(|error| ItemOutcome::Failed(problem(&error))));
    }
    Ok(out)
}

fn one(tx: &mut Tx<'_>, task: &Task, act: ItemAct) -> Result<ItemOutcome> {
    match act {
        ItemAct::Create(new) => {
            task.expected.check_absent()?;
            create::create(tx, task, new).map(ItemOutcome::Created)
        }
        ItemAct::Update(reference, patch, writable) => {
            document::check_depth(&patch)?;
            document::check_members(&task.resource_type, &patch, writable.as_deref())?;
            let before = locked(tx, task, &reference)?;
            let mut document = before.document.clone();
            document::merge(&task.resource_type, &mut document, patch);
            change(tx, task, before, document).map(ItemOutcome::Changed)
        }
        ItemAct::Replace(reference, document) => {
            let document = create::sent(task, document, None)?;
            let before = locked(tx, task, &reference)?;
            replace::replaced(tx, task, before, document).map(ItemOutcome::Changed)
        }
        ItemAct::Upsert(external_id, document) => {
            let external_id = kernel::text::external_id(&external_id)?;
            let document = create::sent(task, document, None)?;
            upsert::upsert(tx, task, external_id, document).map(put)
        }
        ItemAct::Put(reference, external_id, document) => {
            let document = create::sent(task, document, None)?;
            if let Some(before) = upsert::present(tx, task, &reference)? {
                return replace::replaced(tx, task, before, document).map(ItemOutcome::Changed);
            }
            let new = NewRecord { document, external_id, ..NewRecord::default() };
            create::create(tx, task, new).map(ItemOutcome::Created)
        }
        ItemAct::Delete(reference) => {
            singletons::refuse(&task.resource_type)?;
            let record = locked(tx, task, &reference)?;
            parents::before_delete(tx, task, &record)?;
            delete::remove(tx, task, &record)?;
            Ok(ItemOutcome::Deleted(reference))
        }
        ItemAct::Faulty(error) => Err(error),
    }
}

fn put(done: upsert::Upserted) -> ItemOutcome {
    if done.created { ItemOutcome::Created(done.record) } else { ItemOutcome::Changed(done.record) }
}

impl ItemOutcome {
    /// The record that it left, if it did.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Created(record) | Self::Changed(record) => Some(record),
            Self::Deleted(_) | Self::Failed(_) => None,
        }
    }

    /// Its id.
    pub fn id(&self) -> Option<RecordId> {
        self.record().map(|record| record.id)
    }
}
