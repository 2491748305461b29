//! Keeping publications apart, in the publishing transaction.

use std::collections::HashMap;

use kernel::{Error, EventId, Result, TenantId};
use serde_json::json;
use store::Tx;

use super::{MAX_HELD_BYTES, MAX_HELD_EVENTS, sql};
use crate::accept::{self, Item};
use crate::publish::Published;
use crate::sql::{Earlier, earlier};
use crate::{Intake, operational};

/// What became of one.
enum Held {
    /// It waits now.
    New,
    /// It waited already.
    Before,
    /// There is no room.
    Full,
}

/// Keeps these apart; answers for each, in order. An id that an event has gets that event's answer; one that waits already gets the same
/// answer again and changes nothing.
///
/// Error of one: 409 `quarantine_full`.
pub(crate) fn hold(tx: &mut Tx<'_>, intake: &Intake, items: &[Item]) -> Result<Vec<Result<Published>>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let accepted = earlier(tx, items)?;
    // Every writer takes the rows in the same order, and those of the fill after all others, so that no two wait for each other.
    let mut sorted: Vec<usize> = (0..items.len()).filter(|n| !accepted.contains_key(&key(&items[*n]))).collect();
    sorted.sort_by(|a, b| key(&items[*a]).cmp(&key(&items[*b])));
    let mut held: HashMap<usize, Held> = HashMap::new();
    for n in &sorted {
        let state = if sql::insert(tx, &items[*n])? { Held::New } else { Held::Before };
        held.insert(*n, state);
    }
    let mut told = Vec::new();
    for n in &sorted {
        let Some(state) = held.get_mut(n).filter(|state| matches!(state, Held::New)) else { continue };
        let event = &items[*n].event;
        if sql::fill(tx, event.tenant, event.data.len() as u64)? {
            metrics::counter!("tradewind_events_quarantined_total", "type" => event.event_type.to_string()).increment(1);
            told.push(report(tx, &items[*n])?);
        } else {
            sql::delete_row(tx, event.tenant, &event.id)?;
            *state = Held::Full;
        }
    }
    accept::all(tx, intake, &told)?;
    Ok(items.iter().enumerate().map(|(n, item)| answer(item, accepted.get(&key(item)), held.get(&n))).collect())
}

/// The operational event that tells of it.
fn report(tx: &Tx<'_>, item: &Item) -> Result<Item> {
    let (event, first) = (&item.event, item.faults.first());
    let reason = first.map_or_else(String::new, |fault| format!("{}: {}", fault.pointer, fault.detail));
    let data = json!({"eventId": event.id, "eventType": event.event_type, "reason": reason});
    Ok(Item::new(operational::event(tx, event.tenant, operational::EVENT_QUARANTINED, &data)?, tx.ambient()))
}

fn key(item: &Item) -> (TenantId, EventId) {
    (item.event.tenant, item.event.id.clone())
}

fn answer(item: &Item, accepted: Option<&Earlier>, held: Option<&Held>) -> Result<Published> {
    let event = &item.event;
    if let Some(earlier) = accepted {
        let kept = earlier.kept.as_ref();
        return Ok(Published {
            id: event.id.clone(),
            event_type: kept.map_or_else(|| event.event_type.clone(), |kept| kept.event_type.clone()),
            deliveries: kept.map_or(0, |kept| kept.deliveries),
            warnings: kept.map_or(0, |kept| kept.warnings),
            quarantined: false,
        });
    }
    if matches!(held, Some(Held::Full)) {
        let detail = format!(
            "The event breaks its schema, and the quarantine is full: it holds {MAX_HELD_EVENTS} events or {MAX_HELD_BYTES} bytes. Release or \
             discard some (GET /api/v1/events/quarantine), or mend the event."
        );
        return Err(Error::conflict("quarantine_full", detail).with_fields(item.faults.clone()));
    }
    let warnings = u32::try_from(item.faults.len()).unwrap_or(u32::MAX);
    Ok(Published { id: event.id.clone(), event_type: event.event_type.clone(), deliveries: 0, warnings, quarantined: true })
}
