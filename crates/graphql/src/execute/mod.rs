//! Executing an operation (GraphQL §6): level by level, each field of a level for all its objects at once.
//!
//! That is what keeps nested lists from costing a statement for each record: the records that fifty calls belong to are one question, and so
//! are the calls of fifty companies. What a field answers is read by the operations that REST calls, with authority from the caller.

mod arguments;
mod changes;
mod collect;
mod complete;
mod events;
mod fields;
mod lists;
mod related;
mod thing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::events::{Events, PolledEvent};
use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, SelectionSet};
use futures_util::future::join_all;
use kernel::{Caller, Error, RequestSlot};
use records::Records;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::documents::coerce::Variables;
use crate::dynamic::Validator;
use crate::failure::Failure;
use crate::model::{MUTATION, Model, ObjectType, QUERY, SUBSCRIPTION};
use collect::Chosen;
use thing::{Raw, Thing, Way};

pub(crate) use events::{Feed, Reader, Wish, feed};

/// How many questions of one operation wait for the database or are answered by it at the same time.
const AT_ONCE: usize = 2;
/// How long an operation may go on asking. What it has not asked by then fails.
const TIME: Duration = Duration::from_secs(10);
/// Most errors of one answer.
const MAX_FAILURES: usize = 100;

/// What operations work on.
#[derive(Clone)]
pub(crate) struct Sources {
    /// Records.
    pub(crate) records: Arc<Records>,
    /// Events.
    pub(crate) events: Arc<Events>,
}

/// An operation that may be executed: parsed, measured, validated, its variables coerced.
pub(crate) struct Ready<'a> {
    /// The schema.
    pub(crate) model: &'a Model,
    /// The same for introspection.
    pub(crate) validator: &'a Validator,
    /// The document.
    pub(crate) document: &'a ExecutableDocument,
    /// Its operation.
    pub(crate) operation: &'a Positioned<OperationDefinition>,
    /// Its variables.
    pub(crate) variables: Variables,
}

/// What an operation answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The data; null if what may not be null was.
    pub(crate) data: Value,
    /// What went wrong with parts of it.
    pub(crate) failures: Vec<Failure>,
}

/// An execution under way.
struct Run<'a> {
    ready: &'a Ready<'a>,
    sources: &'a Sources,
    caller: &'a Caller,
    /// The request's idempotency slot, of which each change has a part; none: the caller has it, or there is none.
    once: Option<&'a RequestSlot>,
    turns: Semaphore,
    until: Instant,
    failures: Mutex<Vec<Failure>>,
}

/// A position that failed, which has been told already.
#[derive(Clone, Copy, Debug)]
struct Failed;

/// Executes a query or a mutation. `once`: for a mutation of several changes, the idempotency slot that each has a part of.
pub(crate) async fn execute(ready: &Ready<'_>, sources: &Sources, caller: &Caller, once: Option<&RequestSlot>) -> Answer {
    let run = Run { once, ..Run::new(ready, sources, caller) };
    let root = match ready.operation.node.ty {
        OperationType::Mutation => MUTATION,
        _ => QUERY,
    };
    run.answer(root, Thing::Root).await
}

/// Executes the selection of a subscription for one event.
pub(crate) async fn tell(ready: &Ready<'_>, sources: &Sources, caller: &Caller, event: PolledEvent) -> Answer {
    Run::new(ready, sources, caller).answer(SUBSCRIPTION, Thing::Happened(Arc::new(event))).await
}

/// What a subscription asks for.
///
/// Errors: `graphql_validation_failed` unless it has one field at its root (GraphQL §5.2.3.1), `invalid_argument`.
pub(crate) fn wish(ready: &Ready<'_>) -> Result<Wish, Failure> {
    let fault = |detail: &str| Failure::new("graphql_validation_failed", detail).at(ready.operation.pos);
    let Some(root) = ready.model.object(SUBSCRIPTION) else { return Err(fault("The schema has no subscriptions.")) };
    // Collecting reads the document and the variables only.
    let chosen = collect::collect(ready, root, &[&ready.operation.node.selection_set.node]);
    let [one] = chosen.as_slice() else { return Err(fault("A subscription has exactly one field at its root.")) };
    let Some(field) = one.field else { return Err(fault("A subscription's field is one of its own.")) };
    let arguments = crate::documents::coerce::arguments(ready.model, &field.arguments, one.first(), &ready.variables)?;
    let types = arguments.get("types").and_then(Value::as_array);
    let types = types.map(|types| types.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Ok(Wish { types, cursor: arguments.get("cursor").and_then(Value::as_str).map(str::to_owned) })
}

impl<'a> Run<'a> {
    fn new(ready: &'a Ready<'a>, sources: &'a Sources, caller: &'a Caller) -> Self {
        let (turns, until) = (Semaphore::new(AT_ONCE), Instant::now() + TIME);
        Self { ready, sources, caller, once: None, turns, until, failures: Mutex::default() }
    }

    async fn answer(self, root: &str, thing: Thing) -> Answer {
        let model = self.ready.model;
        let Some(object) = model.object(root) else {
            let failure = Failure::new("graphql_validation_failed", "The schema has nothing of this kind.");
            return Answer { data: Value::Null, failures: vec![failure] };
        };
        let sets = [&self.ready.operation.node.selection_set.node];
        let data = match self.objects(object, &sets, vec![(thing, Way::root())]).await.pop() {
            Some(Ok(data)) => Value::Object(data),
            _ => Value::Null,
        };
        Answer { data, failures: self.failures.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// The selected fields of many objects of one type. In the order of `things`; what failed as a whole has been told.
    async fn objects(
        &self,
        object: &ObjectType,
        sets: &[&SelectionSet],
        things: Vec<(Thing, Way)>,
    ) -> Vec<Result<Map<String, Value>, Failed>> {
        let chosen = collect::collect(self.ready, object, sets);
        let columns: Vec<Vec<Result<Value, Failed>>> = if object.name == MUTATION {
            let mut columns = Vec::with_capacity(chosen.len());
            for one in &chosen {
                columns.push(self.column(one, object, &things).await);
            }
            columns
        } else {
            join_all(chosen.iter().map(|one| self.column(one, object, &things))).await
        };
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let mut out = Vec::with_capacity(things.len());
        for _ in &things {
            let mut map = Map::with_capacity(chosen.len());
            let mut failed = false;
            for (one, column) in chosen.iter().zip(&mut columns) {
                match column.next() {
                    Some(Ok(value)) => drop(map.insert(one.key.to_owned(), value)),
                    _ if one.may_be_null() => drop(map.insert(one.key.to_owned(), Value::Null)),
                    _ => failed = true,
                }
            }
            out.push(if failed { Err(Failed) } else { Ok(map) });
        }
        out
    }

    /// One field of many objects.
    async fn column(&self, one: &Chosen<'a>, object: &ObjectType, things: &[(Thing, Way)]) -> Vec<Result<Value, Failed>> {
        let Some(field) = one.field else {
            return match one.meta() {
                Some("__typename") => things.iter().map(|_| Ok(Value::from(object.name.as_str()))).collect(),
                _ => self.introspected(one, things).await,
            };
        };
        let arguments = match self.arguments(field, one) {
            Ok(arguments) => arguments,
            Err(failure) => return self.fail_all(&failure, one, things),
        };
        let inner = self.ready.model.object(field.ty.name());
        match inner {
            None => things.iter().map(|(thing, way)| self.leaf(field, one, thing, way)).collect(),
            Some(inner) => {
                let raws = Box::pin(self.resolve(field, one, &arguments, things)).await;
                self.complete_objects(field, one, inner, raws, things).await
            }
        }
    }

    /// What `__schema` and `__type` answer.
    async fn introspected(&self, one: &Chosen<'a>, things: &[(Thing, Way)]) -> Vec<Result<Value, Failed>> {
        let Ready { validator, document, operation, variables, .. } = self.ready;
        let variables = variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let found = validator.introspect(document, operation, one.selected.clone(), &variables).await;
        match found {
            Ok(mut found) => vec![Ok(found.remove(one.key).unwrap_or_default())],
            Err(failures) => {
                let first = failures.into_iter().next().unwrap_or_else(|| Failure::of(&Error::internal("introspection failed")));
                self.fail_all(&first, one, things)
            }
        }
    }

    /// Completes objects: those inside of all that was found are executed together, then put where they belong.
    async fn complete_objects(
        &self,
        field: &crate::model::Field,
        one: &Chosen<'a>,
        inner: &ObjectType,
        raws: Vec<Raw>,
        things: &[(Thing, Way)],
    ) -> Vec<Result<Value, Failed>> {
        let mut below = Vec::new();
        let placed: Vec<thing::Placed> =
            raws.into_iter().zip(things).map(|(raw, (_, way))| raw.place(&way.key(one.key), &mut below)).collect();
        let mut done = if below.is_empty() { Vec::new() } else { Box::pin(self.objects(inner, &one.sets, below)).await }.into_iter();
        let each =
            placed.into_iter().zip(things).map(|(placed, (_, way))| self.complete(&field.ty, placed, &mut done, one, &way.key(one.key)));
        each.collect()
    }

    /// Tells that a field failed, once for each object that has it.
    fn fail_all(&self, failure: &Failure, one: &Chosen<'_>, things: &[(Thing, Way)]) -> Vec<Result<Value, Failed>> {
        things
            .iter()
            .map(|(_, way)| {
                self.fail(failure.clone(), one, &way.key(one.key));
                Err(Failed)
            })
            .collect()
    }

    fn fail(&self, failure: Failure, one: &Chosen<'_>, way: &Way) -> Failed {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MAX_FAILURES {
            let failure = if failure.places().is_empty() { failure.at(one.pos()) } else { failure };
            failures.push(failure.path(way.path()));
        }
        Failed
    }
}
