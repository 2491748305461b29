//! From an event that is being published to pending deliveries: sequence numbers, queue rows, and after the commit straight into memory.
//!
//! An ordered destination's deliveries are all worked by one node, whichever had the first of them and is alive: only so can one wait for
//! another. What another node publishes for it is written as that node's and announced to it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use kernel::{ClientId, DestinationId, Event, NodeId, Result, TenantId};
use store::{Node, Tx};

use crate::deliveries;
use crate::engine::{Engine, Item};
use crate::queue::{self, Pending, slips};

/// One event for one destination.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The event, shared by all its deliveries.
    pub event: Arc<Event>,
    /// Where it goes. A destination that was deleted meanwhile gets nothing.
    pub destination: DestinationId,
    /// What an ordered destination's order goes by, in place of the event's own key.
    pub ordering_key: Option<String>,
}

impl NewDelivery {
    /// By the event's own ordering key.
    pub fn new(event: Arc<Event>, destination: DestinationId) -> Self {
        Self { event, destination, ordering_key: None }
    }
}

const NEXT_SEQ: &str = "UPDATE destination_seqs SET seq = seq + ?3 WHERE tenant_id = ?1 AND destination_id = ?2 RETURNING seq, client_id, ordered, \
                        owner, epoch";
const TAKE_LANE: &str = "UPDATE destination_seqs SET owner = ?3, epoch = ?4 WHERE tenant_id = ?1 AND destination_id = ?2";
const BEFORE: &str = "SELECT 1 FROM queue WHERE tenant_id = ?1 AND destination_id = ?2 AND ordering_key = ?3 LIMIT 1";

/// Where new deliveries may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Into the queue.
    Queue,
    /// On a slip, those that will likely be attempted and ended at once; else into the queue.
    Slip,
}

/// A destination's share of the batch.
struct Share {
    client: ClientId,
    next: i64,
    worker: Node,
    /// Its deliveries go on a slip.
    is_brisk: bool,
    /// For an ordered destination: the keys of this batch so far.
    keys: Option<HashSet<String>>,
}

/// Items of one event stand side by side.
pub(crate) fn enqueue(engine: &Arc<Engine>, tx: &mut Tx<'_>, items: &[NewDelivery], route: Route) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let node = engine.node();
    let mut shares = shares(tx, node, items)?;
    if route == Route::Slip {
        shares.iter_mut().for_each(|((id, _), share)| share.is_brisk = share.keys.is_none() && engine.is_brisk(*id));
    }
    let now = tx.now();
    let mut slips = Slips::new(engine, node);
    let (mut rows, mut handed) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        let Some(share) = shares.get_mut(&(item.destination, item.event.tenant)) else { continue };
        let row = pending(tx, item, share, now)?;
        let is_first = is_first(tx, share, &row)?;
        share.next += 1;
        if share.is_brisk && row.due_at == now {
            slips.add(row, Arc::clone(&item.event));
            continue;
        }
        rows.push((row, share.worker));
        handed.push((Arc::clone(&item.event), is_first));
    }
    queue::insert(tx, &rows)?;
    for ((destination, _), _) in shares.iter().filter(|(_, share)| share.worker.id != node.id) {
        tx.notify(deliveries::TOPIC, destination);
    }
    let own = |((row, worker), (event, is_first)): ((Pending, Node), (Arc<Event>, bool))| {
        (worker.id == node.id).then(|| Item { row, event, epoch: node.epoch, is_first, ticket: None })
    };
    let mut handed: Vec<Item> = rows.into_iter().zip(handed).filter_map(own).collect();
    handed.extend(slips.write(tx)?);
    let engine = Arc::clone(engine);
    tx.after_commit(move || engine.accept(handed));
    Ok(())
}

/// What goes on slips: one for each tenant.
struct Slips<'a> {
    engine: &'a Engine,
    node: Node,
    of: BTreeMap<TenantId, (Vec<Pending>, Vec<Arc<Event>>)>,
}

impl<'a> Slips<'a> {
    fn new(engine: &'a Engine, node: Node) -> Self {
        Self { engine, node, of: BTreeMap::new() }
    }

    fn add(&mut self, row: Pending, event: Arc<Event>) {
        let (rows, events) = self.of.entry(row.tenant).or_default();
        rows.push(row);
        events.push(event);
    }

    fn write(self, tx: &mut Tx<'_>) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for (rows, events) in self.of.into_values() {
            let slip = self.engine.slips.begin();
            slips::write(tx, slips::Place { node: self.node, number: slip.number }, &rows)?;
            let item = |(row, event): (Pending, Arc<Event>)| {
                let ticket = Some(slip.ticket(row.destination));
                Item { row, event, epoch: self.node.epoch, is_first: true, ticket }
            };
            items.extend(rows.into_iter().zip(events).map(item));
        }
        Ok(items)
    }
}

/// Reserves sequence numbers, in the order of ids, so that two transactions never wait for each other.
fn shares(tx: &mut Tx<'_>, node: Node, items: &[NewDelivery]) -> Result<BTreeMap<(DestinationId, TenantId), Share>> {
    let mut counts: BTreeMap<(DestinationId, TenantId), i64> = BTreeMap::new();
    for item in items {
        *counts.entry((item.destination, item.event.tenant)).or_default() += 1;
    }
    let mut shares = BTreeMap::new();
    for ((destination, tenant), count) in counts {
        let found = tx.query_opt(NEXT_SEQ, &[tenant.into(), destination.into(), count.into()], |row| {
            let worker = row.get::<Option<NodeId>>(3)?.zip(row.get::<Option<i64>>(4)?).map(|(id, epoch)| Node { id, epoch });
            Ok((row.get::<i64>(0)?, row.get::<ClientId>(1)?, row.get::<bool>(2)?, worker))
        })?;
        let Some((last, client, is_ordered, worker)) = found else { continue };
        let worker = if is_ordered { lane_worker(tx, node, worker, tenant, destination)? } else { node };
        let keys = is_ordered.then(HashSet::new);
        shares.insert((destination, tenant), Share { client, next: last - count + 1, worker, is_brisk: false, keys });
    }
    Ok(shares)
}

/// Who works an ordered destination: the node that did so far, if it is alive; otherwise this one from now on. The destination's row is
/// locked by its sequence number, so two nodes do not both take it.
fn lane_worker(tx: &mut Tx<'_>, node: Node, so_far: Option<Node>, tenant: TenantId, destination: DestinationId) -> Result<Node> {
    if let Some(worker) = so_far
        && (worker.id == node.id || Node::is_alive(tx, worker.id)?)
    {
        return Ok(worker);
    }
    tx.exec(TAKE_LANE, &[tenant.into(), destination.into(), node.id.into(), node.epoch.into()])?;
    Ok(node)
}

/// Whether no pending delivery with the same key stands before this one; always, where order does not matter.
fn is_first(tx: &mut Tx<'_>, share: &mut Share, row: &Pending) -> Result<bool> {
    let (Some(keys), Some(key)) = (&mut share.keys, &row.ordering_key) else { return Ok(true) };
    if !keys.insert(key.clone()) {
        return Ok(false);
    }
    let before = tx.query_opt(BEFORE, &[row.tenant.into(), row.destination.into(), key.into()], |_| Ok(()))?;
    Ok(before.is_none())
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
        ordering_key: share.keys.is_some().then(|| item.ordering_key.as_ref().or(event.ordering_key.as_ref()).cloned().unwrap_or_default()),
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
