//! Taking events in: the one way into the tables, for every front door.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Ambient, ClientId, Error, Event, EventId, EventType, FieldError, Result, TenantId};
use store::Tx;

use crate::catalogue::Verdict;
use crate::publish::Published;
use crate::sql::{self, Earlier};
use crate::{Intake, Planned, groups, quarantined_events};

/// What [`crate::Events::emit`] says about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Its id.
    pub id: EventId,
    /// Its type; of an id that was taken, the first one's.
    pub event_type: EventType,
    /// How many deliveries it has.
    pub deliveries: u32,
    /// In how many ways its data breaks the schema of its type.
    pub warnings: u32,
    /// Whether this call stored it; false: its id was taken.
    pub is_new: bool,
}

impl From<Emitted> for Published {
    fn from(emitted: Emitted) -> Self {
        Self {
            id: emitted.id,
            event_type: emitted.event_type,
            deliveries: emitted.deliveries,
            warnings: emitted.warnings,
            quarantined: false,
        }
    }
}

/// An event on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) event: Arc<Event>,
    /// A random number: of several publications of one id, the one whose claim is stored has won.
    pub(crate) claim: i64,
    /// In what ways its data breaks the schema of its type.
    pub(crate) faults: Vec<FieldError>,
    /// Whether it is kept apart for that instead of being accepted.
    pub(crate) hold: bool,
}

impl Item {
    pub(crate) fn new(event: Event, ambient: &Ambient) -> Self {
        Self { event: Arc::new(event), claim: i64::from_le_bytes(ambient.bytes()), faults: Vec::new(), hold: false }
    }

    /// With what the check of its data found. The faults' pointers begin at the event, wherever it stood in its request (`at`).
    pub(crate) fn judged(mut self, verdict: Verdict, at: &str) -> Self {
        self.hold = verdict.hold;
        self.faults = verdict.faults;
        for fault in self.faults.iter_mut().filter(|_| !at.is_empty()) {
            if let Some(rest) = fault.pointer.strip_prefix(at) {
                fault.pointer = rest.to_owned();
            }
        }
        self
    }
}

/// Who stored an item's id.
enum Claim {
    /// This item.
    Won,
    /// An item before it in the same call.
    Item(usize),
    /// An earlier transaction.
    Earlier(Earlier),
}

/// A group of the batcher: an item with an unknown client fails alone, one that is to be kept apart is, the others are accepted.
pub(crate) fn group(tx: &mut Tx<'_>, intake: &Intake, items: &[Item]) -> Result<Vec<Result<Published>>> {
    let unknown = unknown_clients(tx, intake, items)?;
    if unknown.is_empty() && items.iter().all(|item| !item.hold) {
        return Ok(all(tx, intake, items)?.into_iter().map(|emitted| Ok(emitted.into())).collect());
    }
    let is_bad = |item: &Item| item.event.client.is_some_and(|client| unknown.contains(&(item.event.tenant, client)));
    let chosen = |hold: bool| -> Vec<Item> { items.iter().filter(|item| !is_bad(item) && item.hold == hold).cloned().collect() };
    let mut accepted = all(tx, intake, &chosen(false))?.into_iter().map(|emitted| Ok(Published::from(emitted)));
    // After the others: what this very group accepted under the same id counts.
    let mut held = quarantined_events::hold(tx, intake, &chosen(true))?.into_iter();
    let answer = |item: &Item| {
        if is_bad(item) {
            return Err(
                Error::invalid("unknown_client", "There is no such API client.").at("/clientId", "names no API client of this tenant")
            );
        }
        let next = if item.hold { held.next() } else { accepted.next() };
        next.unwrap_or_else(|| Err(Error::internal("an event has no answer")))
    };
    Ok(items.iter().map(answer).collect())
}

/// Whether the client that an item names exists, if it names one.
pub(crate) fn knows_client(tx: &mut Tx<'_>, intake: &Intake, item: &Item) -> Result<bool> {
    item.event.client.map_or(Ok(true), |client| (intake.clients)(tx, item.event.tenant, client))
}

fn unknown_clients(tx: &mut Tx<'_>, intake: &Intake, items: &[Item]) -> Result<Vec<(TenantId, ClientId)>> {
    let mut seen: Vec<(TenantId, ClientId)> = Vec::new();
    let mut unknown = Vec::new();
    for item in items {
        let Some(client) = item.event.client else { continue };
        let pair = (item.event.tenant, client);
        if seen.contains(&pair) {
            continue;
        }
        seen.push(pair);
        if !(intake.clients)(tx, pair.0, pair.1)? {
            unknown.push(pair);
        }
    }
    Ok(unknown)
}

/// Stores the new ones of `items` with their deliveries; answers for all, in order.
pub(crate) fn all(tx: &mut Tx<'_>, intake: &Intake, items: &[Item]) -> Result<Vec<Emitted>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let claims = claim(tx, items)?;
    let won = |claim: &Claim| matches!(claim, Claim::Won);
    let fresh: Vec<Arc<Event>> =
        items.iter().zip(&claims).filter(|(_, claim)| won(claim)).map(|(item, _)| Arc::clone(&item.event)).collect();
    let planned = plan(tx, intake, &fresh)?;
    let numbers = groups::open(tx, &fresh)?;
    let warnings: Vec<&[FieldError]> =
        items.iter().zip(&claims).filter(|(_, claim)| won(claim)).map(|(item, _)| item.faults.as_slice()).collect();
    sql::insert_events(tx, &fresh, &planned, &warnings, &numbers)?;
    count_warnings(&fresh, &warnings);
    if !numbers.is_empty() {
        let (wakes, tenants) = (Arc::clone(&intake.wakes), numbers.into_keys().collect::<Vec<_>>());
        tx.after_commit(move || wakes.tell(&tenants));
    }
    let mut counts = planned.iter().map(|planned| planned.deliveries);
    let own: Vec<u32> = claims.iter().map(|claim| if won(claim) { counts.next().unwrap_or(0) } else { 0 }).collect();
    Ok(items.iter().zip(&claims).enumerate().map(|(at, (item, claim))| emitted(item, at, claim, items, &own)).collect())
}

fn emitted(item: &Item, at: usize, claim: &Claim, items: &[Item], own: &[u32]) -> Emitted {
    let faults = |item: &Item| u32::try_from(item.faults.len()).unwrap_or(u32::MAX);
    let (event_type, deliveries, warnings) = match claim {
        Claim::Won => (item.event.event_type.clone(), own[at], faults(item)),
        Claim::Item(first) => (items[*first].event.event_type.clone(), own[*first], faults(&items[*first])),
        // An event that retention has dropped is known by its id alone.
        Claim::Earlier(Earlier { kept: Some(kept), .. }) => (kept.event_type.clone(), kept.deliveries, kept.warnings),
        Claim::Earlier(_) => (item.event.event_type.clone(), 0, 0),
    };
    Emitted { id: item.event.id.clone(), event_type, deliveries, warnings, is_new: matches!(claim, Claim::Won) }
}

/// Events that were accepted although their data breaks the schema.
fn count_warnings(events: &[Arc<Event>], warnings: &[&[FieldError]]) {
    for (event, _) in events.iter().zip(warnings).filter(|(_, faults)| !faults.is_empty()) {
        metrics::counter!("tradewind_events_schema_warnings_total", "type" => event.event_type.to_string()).increment(1);
    }
}

fn plan(tx: &mut Tx<'_>, intake: &Intake, fresh: &[Arc<Event>]) -> Result<Vec<Planned>> {
    let Some(planner) = intake.planner.get().filter(|_| !fresh.is_empty()) else {
        return Ok(vec![Planned::default(); fresh.len()]);
    };
    let planned = planner.plan(tx, fresh)?;
    if planned.len() != fresh.len() {
        return Err(Error::internal(format!("the planner gave {} answers for {} events", planned.len(), fresh.len())));
    }
    Ok(planned)
}

/// Writes the ids down. Usually all are new, which their count tells; otherwise each is looked at.
fn claim(tx: &mut Tx<'_>, items: &[Item]) -> Result<Vec<Claim>> {
    if sql::insert_ids(tx, items)? == items.len() as u64 {
        return Ok(items.iter().map(|_| Claim::Won).collect());
    }
    let stored = sql::earlier(tx, items)?;
    let mut winners: HashMap<i64, usize> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        winners.entry(item.claim).or_insert(at);
    }
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let earlier = stored
                .get(&(item.event.tenant, item.event.id.clone()))
                .ok_or_else(|| Error::internal("an event id that is taken cannot be found"))?;
            Ok(match winners.get(&earlier.claim) {
                Some(&winner) if winner == at => Claim::Won,
                Some(&winner) => Claim::Item(winner),
                None => Claim::Earlier(earlier.clone()),
            })
        })
        .collect()
}
