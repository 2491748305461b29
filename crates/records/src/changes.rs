//! Which events a change emits, and their data.

use blueprint::model::Transition;
use bytes::Bytes;
use kernel::{Error, Event, EventType, Result, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

use crate::Task;
use crate::records::Record;
use crate::resource_type::ResourceType;

/// What happened to a record.
pub(crate) enum Change<'a> {
    Created(&'a Record),
    Updated { before: &'a Record, after: &'a Record },
    Deleted(&'a Record),
}

impl Change<'_> {
    fn record(&self) -> &Record {
        match self {
            Self::Created(record) | Self::Deleted(record) | Self::Updated { after: record, .. } => record,
        }
    }
}

/// The declared events of a change: one for a creation (and for each value that it begins with, where the blueprint says so) or a deletion; for an update one for each transition that it makes, or else the one
/// for updates.
fn declared(kind: &ResourceType, change: &Change<'_>) -> Vec<EventType> {
    let emits = &kind.resource().emits;
    let (before, after) = match change {
        Change::Created(record) => {
            let begins = |one: &&Transition| one.at_creation && record.document.get(&one.field) == Some(&one.to);
            let begun = emits.transitions.iter().filter(begins).map(|one| one.event.clone());
            return emits.created.iter().cloned().chain(begun).collect();
        }
        Change::Deleted(_) => return emits.deleted.iter().cloned().collect(),
        Change::Updated { before, after } => (&before.document, &after.document),
    };
    let mut types: Vec<EventType> = Vec::new();
    for transition in &emits.transitions {
        let member = transition.field.as_str();
        let from = before.get(member).unwrap_or(&Value::Null);
        let fits = transition.from.is_empty() || transition.from.contains(from);
        let taken = fits && after.get(member) == Some(&transition.to) && before.get(member) != after.get(member);
        if taken && !types.contains(&transition.event) {
            types.push(transition.event.clone());
        }
    }
    if types.is_empty() {
        types.extend(emits.updated.iter().cloned());
    }
    types
}

/// Publishes the events of a change in the transaction of the change. Deliveries of one record's events to an ordered webhook keep their
/// order.
pub(crate) fn emit(tx: &mut Tx<'_>, task: &Task, change: &Change<'_>, now: Timestamp) -> Result<()> {
    publish(tx, task, change.record(), declared(&task.resource_type, change), now)
}

/// Publishes the events of many creations at once.
pub(crate) fn emit_created(tx: &mut Tx<'_>, task: &Task, records: &[&Record], now: Timestamp) -> Result<()> {
    let mut events = Vec::new();
    for record in records {
        events.extend(made(tx, task, record, declared(&task.resource_type, &Change::Created(record)), now)?);
    }
    if !events.is_empty() {
        task.around.events.emit(tx, events)?;
    }
    Ok(())
}

/// Publishes one event more about a record, in the transaction of its change, if one is asked for.
pub(crate) fn also(tx: &mut Tx<'_>, task: &Task, record: &Record, event: Option<EventType>) -> Result<()> {
    let now = tx.now();
    publish(tx, task, record, event.into_iter().collect(), now)
}

fn publish(tx: &mut Tx<'_>, task: &Task, record: &Record, types: Vec<EventType>, now: Timestamp) -> Result<()> {
    let events = made(tx, task, record, types, now)?;
    if !events.is_empty() {
        task.around.events.emit(tx, events)?;
    }
    Ok(())
}

fn made(tx: &Tx<'_>, task: &Task, record: &Record, types: Vec<EventType>, now: Timestamp) -> Result<Vec<Event>> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let data = data(&task.resource_type, record)?;
    let event = |event_type| Event {
        tenant: task.tenant,
        id: tx.ambient().event_id(),
        event_type,
        occurred_at: now,
        created_at: now,
        data: data.clone(),
        client: None,
        channels: Vec::new(),
        ordering_key: Some(record.id.to_string()),
        deliver_at: None,
        schema_version: None,
    };
    Ok(types.into_iter().map(event).collect())
}

/// The record's id as a string under the declared name, and the record as on the wire.
fn data(kind: &ResourceType, record: &Record) -> Result<Bytes> {
    let mut data = Map::new();
    data.insert(kind.resource().emits.id_member.clone(), Value::String(kind.id_text(record)));
    data.extend(kind.wire(record));
    Ok(Bytes::from(serde_json::to_vec(&data).map_err(Error::internal)?))
}
