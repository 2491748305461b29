//! Which pairs of an event and a destination have a delivery, and making those that have none.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::id::TypedId as _;
use kernel::{DeliveryId, DestinationId, Event, EventId, Result, TenantId};
use store::{Tx, Value};

use super::list::{planned_from, planned_until};
use crate::NewDelivery;
use crate::engine::Engine;
use crate::enqueue::{Route, enqueue};
use crate::look_ups::lists;
use crate::queue::slips;

/// Those of `events` (in the order of their acceptance) that have a delivery for the destination, pending or finished.
pub fn attempted(tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId, events: &[Arc<Event>]) -> Result<HashSet<EventId>> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(HashSet::new()) };
    let mut found = HashSet::new();
    for table in ["deliveries", "replayed"] {
        for (list, params) in lists(&[tenant.into(), destination.into()], events.iter().map(|event| Value::from(&event.id))) {
            let sql = format!("SELECT event_id FROM {table} WHERE tenant_id = ?1 AND event_id IN {list} AND destination_id || '' = ?2");
            found.extend(tx.query(&sql, &params, |row| row.get::<EventId>(0))?);
        }
    }
    let (from, until) = (planned_from(first.created_at), planned_until(last.created_at));
    let pending = "SELECT event_id FROM queue WHERE tenant_id = ?1 AND id >= ?3 AND id < ?4 AND destination_id = ?2";
    found.extend(tx.query(pending, &[tenant.into(), destination.into(), from.into(), until.into()], |row| row.get::<EventId>(0))?);
    found.extend(slips::of_tenant(tx, tenant, |row| row.destination == destination)?.into_iter().map(|row| row.event_id));
    Ok(found)
}

/// Makes deliveries for pairs that have none; answers how many. Two who do it at once make one between them.
pub(crate) fn replay(engine: &Arc<Engine>, tx: &mut Tx<'_>, tenant: TenantId, items: &[NewDelivery]) -> Result<u64> {
    const CLAIM: &str = "INSERT INTO replayed (tenant_id, event_id, destination_id, client_id, delivery_id) \
                         SELECT d.tenant_id, CAST(?2 AS TEXT), d.id, d.client_id, '' FROM destinations d WHERE d.tenant_id = ?1 AND d.id = ?3 \
                         ON CONFLICT (tenant_id, event_id, destination_id) DO NOTHING";
    // In one order, so that two transactions never wait for each other in a circle.
    let mut sorted: Vec<&NewDelivery> = items.iter().collect();
    sorted.sort_by(|a, b| (&a.event.id, a.destination).cmp(&(&b.event.id, b.destination)));
    let mut won = HashSet::new();
    for item in sorted {
        if tx.exec(CLAIM, &[tenant.into(), Value::from(&item.event.id), item.destination.into()])? > 0 {
            won.insert((item.event.id.clone(), item.destination));
        }
    }
    let ours = |item: &&NewDelivery| won.contains(&(item.event.id.clone(), item.destination));
    let fresh: Vec<NewDelivery> = items.iter().filter(ours).cloned().collect();
    let from = DeliveryId::first_at(tx.now());
    // They are looked up in the queue right after.
    enqueue(engine, tx, &fresh, Route::Queue)?;
    note_ids(tx, tenant, from, &won)?;
    Ok(won.len() as u64)
}

/// Writes down which deliveries were made just now.
fn note_ids(tx: &mut Tx<'_>, tenant: TenantId, from: DeliveryId, won: &HashSet<(EventId, DestinationId)>) -> Result<()> {
    const NOTE: &str = "UPDATE replayed SET delivery_id = ?4 WHERE tenant_id = ?1 AND event_id = ?2 AND destination_id = ?3";
    let made = tx.query(
        "SELECT id, event_id, destination_id FROM queue WHERE tenant_id = ?1 AND id >= ?2",
        &[tenant.into(), from.into()],
        |row| Ok((row.get::<DeliveryId>(0)?, row.get::<EventId>(1)?, row.get::<DestinationId>(2)?)),
    )?;
    for (id, event, destination) in made {
        if won.contains(&(event.clone(), destination)) {
            tx.exec(NOTE, &[tenant.into(), Value::from(&event), destination.into(), id.into()])?;
        }
    }
    Ok(())
}
