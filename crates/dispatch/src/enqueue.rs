//! From an event that is being published to pending deliveries: sequence numbers, queue rows, and after the commit straight into memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{ClientId, DestinationId, Event, Result, TenantId};
use store::Tx;

use crate::engine::{Engine, Item};
use crate::queue::{self, Pending};

/// One event for one destination.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The event, shared by all its deliveries.
    pub event: Arc<Event>,
    /// Where it goes. A destination that was deleted meanwhile gets nothing.
    pub destination: DestinationId,
}

const NEXT_SEQ: &str = "UPDATE destination_seqs SET seq = seq + ?3 WHERE tenant_id = ?1 AND destination_id = ?2 RETURNING seq, client_id";

/// A destination's share of the batch.
struct Share {
    client: ClientId,
    next: i64,
}

pub(crate) fn enqueue(engine: &Arc<Engine>, tx: &mut Tx<'_>, items: &[NewDelivery]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let mut shares = shares(tx, items)?;
    let node = engine.node();
    let now = tx.now();
    let mut rows = Vec::with_capacity(items.len());
    let mut events = Vec::with_capacity(items.len());
    for item in items {
        let Some(share) = shares.get_mut(&(item.destination, item.event.tenant)) else { continue };
        rows.push(pending(tx, item, share, now)?);
        share.next += 1;
        events.push(Arc::clone(&item.event));
    }
    queue::insert(tx, node, &rows)?;
    let handed: Vec<Item> = rows.into_iter().zip(events).map(|(row, event)| Item { row, event, epoch: node.epoch }).collect();
    let engine = Arc::clone(engine);
    tx.after_commit(move || engine.accept(handed));
    Ok(())
}

/// Reserves sequence numbers, in the order of ids, so that two transactions never wait for each other.
fn shares(tx: &mut Tx<'_>, items: &[NewDelivery]) -> Result<BTreeMap<(DestinationId, TenantId), Share>> {
    let mut counts: BTreeMap<(DestinationId, TenantId), i64> = BTreeMap::new();
    for item in items {
        *counts.entry((item.destination, item.event.tenant)).or_default() += 1;
    }
    let mut shares = BTreeMap::new();
    for ((destination, tenant), count) in counts {
        let found = tx.query_opt(NEXT_SEQ, &[tenant.into(), destination.into(), count.into()], |row| {
            Ok((row.get::<i64>(0)?, row.get::<ClientId>(1)?))
        })?;
        if let Some((last, client)) = found {
            shares.insert((destination, tenant), Share { client, next: last - count + 1 });
        }
    }
    Ok(shares)
}

fn pending(tx: &Tx<'_>, item: &NewDelivery, share: &Share, now: kernel::Timestamp) -> Result<Pending> {
    let event = &item.event;
    let id: kernel::DeliveryId = tx.ambient().id();
    let due_at = event.deliver_at.map_or(now, |at| at.max(now));
    let channels =
        if event.channels.is_empty() { None } else { Some(serde_json::to_string(&event.channels).map_err(kernel::Error::internal)?) };
    Ok(Pending {
        tenant: event.tenant,
        id,
        destination: item.destination,
        client: share.client,
        event_id: event.id.clone(),
        event_type: event.event_type.clone(),
        event_created_at: event.created_at,
        ordering_key: event.ordering_key.clone(),
        channels,
        seq: share.next,
        deliver_at: event.deliver_at,
        due_at,
        attempt_count: 0,
        first_count: 0,
        first_at: due_at,
        last_status_code: None,
        last_error: None,
        created_at: queue::made_at(id),
    })
}
