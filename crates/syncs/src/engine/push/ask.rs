//! What the vendor has of the records that are about to be sent, and what ours are in its words.

use std::collections::HashMap;

use connectors::{Fault, RemoteRecord};
use kernel::Timestamp;
use serde_json::{Map, Value};

use super::{Found, Item};
use crate::engine::fetch::mapped;
use crate::engine::merging::with_decisions;
use crate::engine::{Context, Runner};
use crate::merge::{is_empty, same};
use crate::plan::Plan;
use crate::runs::Mode;

pub(super) async fn ask(runner: &Runner, now: Timestamp, items: &mut [Item]) -> Result<(), Fault> {
    translate(&runner.context, items).await;
    let mut found = by_ids(runner, items).await?;
    found.append(&mut by_keys(runner, now, items).await?);
    // All of them are mapped at once.
    let (places, records): (Vec<(usize, bool)>, Vec<RemoteRecord>) = found
        .into_iter()
        .filter_map(|(index, one)| match one {
            Answer::There(record) => Some(((index, true), record)),
            Answer::Other(found) => {
                items[index].found = found;
                None
            }
        })
        .unzip();
    for ((index, _), incoming) in places.into_iter().zip(mapped(&runner.context, records).await) {
        items[index].found = Found::There(Box::new(incoming));
    }
    Ok(())
}

enum Answer {
    There(RemoteRecord),
    Other(Found),
}

/// Ours in the vendor's words.
async fn translate(context: &Context, items: &mut [Item]) {
    let mapping = &context.plan.mapping;
    let (places, flat): (Vec<usize>, Vec<Map<String, Value>>) = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let ours = item.ours.as_ref().filter(|_| item.link.as_ref().is_none_or(|link| !link.unlinked))?;
            let view = with_decisions(&Plan::view(ours), item.conflicts.as_ref());
            Some((index, mapping.local_values(&view)))
        })
        .unzip();
    for (index, there) in places.into_iter().zip(mapping.to_remote(&context.scripts, &flat).await) {
        items[index].there = there;
    }
}

/// Those that are linked, where what the vendor says matters.
async fn by_ids(runner: &Runner, items: &[Item]) -> Result<Vec<(usize, Answer)>, Fault> {
    if !runner.context.plan.reads() {
        return Ok(Vec::new());
    }
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(link) = item.link.as_ref().filter(|link| !link.unlinked) {
            wanted.insert(&link.remote, index);
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<String> = wanted.keys().map(|id| (*id).to_owned()).collect();
    ids.sort();
    let context = &runner.context;
    let found = runner.connector.get(&runner.session, &context.object.name, &ids, &context.plan.remote_fields).await?;
    let mut out = Vec::with_capacity(ids.len());
    for record in found {
        let Some(index) = wanted.remove(record.id.as_str()) else { continue };
        out.push((index, answer(record)));
    }
    out.extend(wanted.into_values().map(|index| (index, Answer::Other(Found::Absent))));
    Ok(out)
}

fn answer(record: RemoteRecord) -> Answer {
    match record.merged_into {
        Some(survivor) => Answer::Other(Found::Merged(survivor)),
        None if record.deleted => Answer::Other(Found::Absent),
        None => Answer::There(record),
    }
}

/// Most values of one look.
const VALUES: usize = 100;

/// Those that are not linked: whether the vendor has them already, by the keys that they would have or were asked to have. All of them are asked for
/// at once: a call for each would use up a vendor's day.
async fn by_keys(runner: &Runner, now: Timestamp, items: &[Item]) -> Result<Vec<(usize, Answer)>, Fault> {
    let context = &runner.context;
    let Some(key) = context.plan.key.as_ref() else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    let mut asked: Vec<(usize, Vec<&Value>)> = Vec::new();
    for (index, item) in items.iter().enumerate().filter(|(_, item)| item.link.is_none()) {
        let settled = item.intent.as_ref().map(|intent| intent.asked_at.plus(context.settled_after()));
        match settled.filter(|settled| now < *settled) {
            Some(settled) => out.push((index, Answer::Other(Found::NotYet(settled)))),
            None if item.intent.is_none() && (item.ours.is_none() || !must_look(runner)) => {}
            None => {
                let values = item.intent.as_ref().map(|intent| &intent.key).into_iter().chain(item.there.values.get(&key.remote));
                asked.push((index, values.filter(|value| !is_empty(value)).collect()));
            }
        }
    }
    let mut wanted: Vec<Value> = Vec::new();
    for value in asked.iter().flat_map(|(_, values)| values) {
        if !wanted.contains(value) {
            wanted.push((*value).clone());
        }
    }
    let mut found = Vec::new();
    for values in wanted.chunks(VALUES) {
        let fields = &context.plan.remote_fields;
        found.append(&mut runner.connector.find_any(&runner.session, &context.object.name, &key.remote, values, fields).await?);
    }
    found.retain(|record| !record.deleted && record.merged_into.is_none());
    for (index, values) in asked {
        let fits = |value: &Value| found.iter().find(|record| record.fields.get(&key.remote).is_some_and(|theirs| alike(theirs, value)));
        let one = values.into_iter().find_map(fits);
        out.push((index, one.map_or(Answer::Other(Found::Absent), |record| Answer::There(record.clone()))));
    }
    Ok(out)
}

/// Not where the vendor itself sees to it that a record is made once, and nothing of what it has could be overwritten unseen: by a push it is meant
/// to be, and after a complete pull all that it has is linked.
fn must_look(runner: &Runner) -> bool {
    let (context, run) = (&runner.context, &runner.run);
    let by_vendor = context.object.unique_field.is_some()
        && context.object.unique_field.as_deref() == context.plan.key.as_ref().map(|key| key.remote.as_str());
    let all_known = run.mode == Mode::Full && run.checkpoint.pulled && run.counters.complete && context.settings().remote_filter.is_none();
    !(by_vendor && (!context.plan.reads() || all_known))
}

/// Searches know no case, and e-mail addresses have none.
fn alike(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::String(a), Value::String(b)) => a.to_lowercase() == b.to_lowercase(),
        (Value::Array(several), one) => several.iter().any(|theirs| alike(theirs, one)),
        _ => same(theirs, ours),
    }
}
