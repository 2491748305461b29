//! Many creations, changes and deletions in one call, each with a fate of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Error, RecordId, Result, TenantScope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;

use super::create::{self, NewRecord};
use super::once::{Kept, Once};
use super::{Record, RecordRef, change, delete, locked, parents, replace, singletons, upsert};
use crate::expected::Expected;
use crate::resource_type::ResourceType;
use crate::{Records, Task, document};

/// Most items of one batch.
pub const MAX_BATCH: usize = 1000;
/// Most items of one transaction.
const STEP: usize = 100;
/// How long a transaction takes items: others write in between.
const STRETCH: Duration = Duration::from_millis(20);

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
    /// events. `problem` shows an error.
    ///
    /// Some are committed at a time, for `STRETCH`, so that others write in between. With an idempotency key each part is kept with its
    /// results in its own transaction: a batch that was cut off goes on where it stood when it comes again, and one that ended is told again.
    ///
    /// Errors: 422 `batch_too_large`; 404 for an unknown resource type; 503 if the database went away, without a key only before anything was
    /// committed.
    pub async fn batch(
        &self,
        scope: &TenantScope,
        resource: &str,
        items: Vec<Item>,
        problem: fn(&Error) -> Value,
    ) -> Result<Vec<ItemOutcome>> {
        self.batch_told(scope, resource, items, problem, |_, outcome| outcome).await
    }

    /// The same, where `tell` says of an outcome what is worth keeping. Errors: those of [`Records::batch`].
    pub async fn batch_told<T>(
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
        if items.len() > MAX_BATCH {
            let detail = format!("A batch has at most {MAX_BATCH} items; this one has {}.", items.len());
            return Err(Error::invalid("batch_too_large", detail));
        }
        let work = Work { task: self.task(resource, scope)?, problem, tell };
        if scope.has_slot() { self.batch_once(scope, work, items).await } else { self.batch_plain(scope, work, items).await }
    }

    async fn batch_plain<T: Send + 'static>(&self, scope: &TenantScope, work: Work<T>, items: Vec<Item>) -> Result<Vec<T>> {
        let mut out = Vec::with_capacity(items.len());
        let mut items = items.into_iter();
        loop {
            let step: Vec<Item> = items.by_ref().take(STEP).collect();
            if step.is_empty() {
                return Ok(out);
            }
            let (end, left) = (out.len() + step.len(), Left::new(step));
            while out.len() < end {
                let (of_part, left) = (work.clone(), left.clone());
                match self.store.write(scope.clone(), move |tx| of_part.stretch(tx, &left)).await {
                    Ok(outcomes) => out.extend(outcomes),
                    Err(error) if out.is_empty() => return Err(error),
                    // What was committed before stands, and is told.
                    Err(error) => out.resize_with(end, || work.told(ItemOutcome::Failed((work.problem)(&error)))),
                }
            }
        }
    }

    async fn batch_once<T>(&self, scope: &TenantScope, work: Work<T>, items: Vec<Item>) -> Result<Vec<T>>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (mut out, count, left) = (Vec::with_capacity(items.len()), items.len(), Left::new(items));
        let mut once = Once::of(scope);
        loop {
            let (part, work, of_part) = (once.part(scope), work.clone(), left.clone());
            let kept: Kept<T> = self
                .store
                .answer(&part, move |tx| {
                    let run = tx.ambient().id::<RecordId>();
                    Ok(Kept { run, outcomes: work.stretch(tx, &of_part)? })
                })
                .await?;
            if part.is_replayed() {
                left.skip(kept.outcomes.len());
            }
            once.done(&part, kept.run);
            out.extend(kept.outcomes);
            if out.len() >= count {
                once.end();
                return Ok(out);
            }
        }
    }
}

/// Items that are still to be done. A transaction takes as many as it has time for.
#[derive(Clone)]
struct Left(Arc<Mutex<std::vec::IntoIter<Item>>>);

impl Left {
    fn new(items: Vec<Item>) -> Self {
        Self(Arc::new(Mutex::new(items.into_iter())))
    }

    fn next(&self) -> Option<Item> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn skip(&self, count: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(count).for_each(drop);
    }
}

/// How a batch is done.
struct Work<T> {
    task: Task,
    problem: fn(&Error) -> Value,
    tell: fn(&ResourceType, ItemOutcome) -> T,
}

impl<T> Clone for Work<T> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), problem: self.problem, tell: self.tell }
    }
}

impl<T> Work<T> {
    fn told(&self, outcome: ItemOutcome) -> T {
        (self.tell)(&self.task.resource_type, outcome)
    }

    /// Does items for a short time, at least one if there is one. Error: 404 once the tenant is gone.
    #[allow(clippy::disallowed_methods, reason = "measures its own work; only how much is committed at once depends on it")]
    fn stretch(&self, tx: &mut Tx<'_>, left: &Left) -> Result<Vec<T>> {
        self.task.hold_tenant(tx)?;
        let begun = Instant::now();
        let mut out = Vec::new();
        while out.len() < STEP
            && let Some(item) = left.next()
        {
            let task = Task { expected: item.expected, ..self.task.clone() };
            let outcome = match item.act {
                ItemAct::Faulty(error) => Err(error),
                act => tx.attempt(|tx| one(tx, &task, act))?,
            };
            out.push(self.told(outcome.unwrap_or_else(|error| ItemOutcome::Failed((self.problem)(&error)))));
            if begun.elapsed() >= STRETCH {
                break;
            }
        }
        Ok(out)
    }
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
