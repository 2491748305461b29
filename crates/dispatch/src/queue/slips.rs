//! Slips: one row for all deliveries of a publication that went straight into memory ([ADR 0012](../../../../docs/adr/0012-slips.md)).
//!
//! While a slip is there, those of its deliveries that stand neither in the queue nor among the finished ones are pending, just as if they
//! stood in the queue. Whoever works on the queue by statement spills the slips first; whoever only reads adds what they hold. Both orders
//! of a spill and an outcome are right: an outcome locks its slip; finding none, it goes by the queue.

use std::collections::HashSet;

use kernel::{ClientId, DeliveryId, DestinationId, Error, EventId, EventType, NodeId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Dialect, Node, Row, Statement as _, Tx, Value};

use super::{Pending, insert, made_at};
use crate::look_ups::lists;

/// What a row's `deliveries` holds. Whatever several deliveries share stands once.
#[derive(Serialize, Deserialize)]
struct Text {
    due_at: Timestamp,
    to: Vec<(DestinationId, ClientId)>,
    of: Vec<(EventId, EventType, Timestamp, Option<String>)>,
    /// Id, place in `to`, place in `of`, sequence number.
    rows: Vec<(DeliveryId, usize, usize, i64)>,
}

/// Where a slip is: whose it is, and which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) node: Node,
    pub(crate) number: i64,
}

/// Writes a slip for rows that no attempt was made for, all of one tenant and due at the same time; those of one event side by side.
pub(crate) fn write(tx: &mut Tx<'_>, place: Place, rows: &[Pending]) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut text = Text { due_at: first.due_at, to: Vec::new(), of: Vec::new(), rows: Vec::with_capacity(rows.len()) };
    for row in rows {
        let to = text.to.iter().position(|(id, _)| *id == row.destination).unwrap_or_else(|| {
            text.to.push((row.destination, row.client));
            text.to.len() - 1
        });
        if text.of.last().is_none_or(|(id, ..)| *id != row.event_id) {
            text.of.push((row.event_id.clone(), row.event_type.clone(), row.event_created_at, row.channels.clone()));
        }
        text.rows.push((row.id, to, text.of.len() - 1, row.seq));
    }
    let text = serde_json::to_string(&text).map_err(Error::internal)?;
    tx.exec(
        "INSERT INTO slips (node, number, tenant_id, epoch, deliveries) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[place.node.id.into(), place.number.into(), first.tenant.into(), place.node.epoch.into(), text.into()],
    )?;
    Ok(())
}

/// Which of the node's slips are there still; they stay until this transaction ends.
pub(crate) fn present(tx: &mut Tx<'_>, node: Node, numbers: &HashSet<i64>) -> Result<HashSet<i64>> {
    let lock = SHARED.text(tx.engine());
    let mut sorted: Vec<i64> = numbers.iter().copied().collect();
    sorted.sort_unstable();
    let mut found = HashSet::with_capacity(sorted.len());
    for (list, params) in lists(&[node.id.into()], sorted.into_iter().map(Value::from)) {
        let sql = format!("SELECT number FROM slips WHERE node = ?1 AND number IN {list} ORDER BY number {lock}");
        found.extend(tx.query(&sql, &params, |row| row.get::<i64>(0))?);
    }
    Ok(found)
}

/// Forgets slips of which nothing is pending any more.
pub(crate) fn forget(tx: &mut Tx<'_>, node: Node, numbers: &[i64]) -> Result<()> {
    for (list, params) in lists(&[node.id.into()], numbers.iter().copied().map(Value::from)) {
        tx.exec(&format!("DELETE FROM slips WHERE node = ?1 AND number IN {list}"), &params)?;
    }
    Ok(())
}

/// Which slips are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// All of a tenant.
    Tenant(TenantId),
    /// These of a node.
    Numbers(Node, &'a [i64]),
    /// Some of a node, the first ones.
    Node(NodeId),
}

/// Slips in one step of [`Which::Node`].
const STEP: i64 = 16;

/// A slip as it was read.
struct Slip {
    node: Node,
    number: i64,
    tenant: TenantId,
    text: String,
}

fn slip(row: &Row<'_>) -> Result<Slip> {
    let node = Node { id: row.get(0)?, epoch: row.get(2)? };
    Ok(Slip { node, number: row.get(1)?, tenant: row.get(3)?, text: row.get(4)? })
}

/// The slips under a condition and in an order.
fn select(tx: &mut Tx<'_>, which: &str, params: &[Value]) -> Result<Vec<Slip>> {
    tx.query(&format!("SELECT node, number, epoch, tenant_id, deliveries FROM slips {which}"), params, slip)
}

/// Keep the rows that are read for this transaction. SQLite has one writer and needs no such thing.
const SHARED: Dialect = Dialect { sqlite: "", postgres: "FOR SHARE" };
const ALONE: Dialect = Dialect { sqlite: "", postgres: "FOR UPDATE" };

/// What a spill did.
#[derive(Debug, Default)]
pub(crate) struct Spilled {
    /// Slips that were taken apart.
    pub(crate) slips: usize,
    /// The destinations of what went into the queue.
    pub(crate) destinations: HashSet<DestinationId>,
}

/// Moves what is pending on slips into the queue, each delivery under the node that held its slip.
pub(crate) fn spill(tx: &mut Tx<'_>, which: Which<'_>) -> Result<Spilled> {
    // In one order, so that two transactions never wait for each other in a circle.
    let lock = ALONE.text(tx.engine());
    let order = |limit: &str| format!("ORDER BY node, number {limit} {lock}");
    let slips: Vec<Slip> = match which {
        Which::Tenant(tenant) => select(tx, &format!("WHERE tenant_id = ?1 {}", order("")), &[tenant.into()])?,
        Which::Node(node) => select(tx, &format!("WHERE node = ?1 {}", order("LIMIT ?2")), &[node.into(), STEP.into()])?,
        Which::Numbers(node, numbers) => {
            let mut sorted = numbers.to_vec();
            sorted.sort_unstable();
            let mut found = Vec::with_capacity(sorted.len());
            for (list, params) in lists(&[node.id.into()], sorted.into_iter().map(Value::from)) {
                found.extend(select(tx, &format!("WHERE node = ?1 AND number IN {list} {}", order("")), &params)?);
            }
            found
        }
    };
    let mut spilled = Spilled { slips: slips.len(), ..Spilled::default() };
    for slip in slips {
        tx.exec("DELETE FROM slips WHERE node = ?1 AND number = ?2", &[slip.node.id.into(), slip.number.into()])?;
        let pending = without_known(tx, slip.tenant, rows(&slip)?)?;
        spilled.destinations.extend(pending.iter().map(|row| row.destination));
        let owned: Vec<(Pending, Node)> = pending.into_iter().map(|row| (row, slip.node)).collect();
        insert(tx, &owned)?;
    }
    Ok(spilled)
}

/// What is pending on the tenant's slips, as far as it is wanted: the newest first.
pub(crate) fn of_tenant(tx: &mut Tx<'_>, tenant: TenantId, wanted: impl Fn(&Pending) -> bool) -> Result<Vec<Pending>> {
    pending(tx, "WHERE tenant_id = ?1", &[tenant.into()], wanted)
}

/// What is pending on slips of any tenant, of so many slips at most.
pub(crate) fn some(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Pending>> {
    pending(tx, "ORDER BY node, number LIMIT ?1", &[most.into()], |_| true)
}

/// The same for all tenants.
pub(crate) fn of_all(tx: &mut Tx<'_>, wanted: impl Fn(&Pending) -> bool) -> Result<Vec<Pending>> {
    pending(tx, "", &[], wanted)
}

fn pending(tx: &mut Tx<'_>, which: &str, params: &[Value], wanted: impl Fn(&Pending) -> bool) -> Result<Vec<Pending>> {
    let mut found = Vec::new();
    for slip in select(tx, which, params)? {
        let mut some = rows(&slip)?;
        some.retain(&wanted);
        found.extend(without_known(tx, slip.tenant, some)?);
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.id));
    Ok(found)
}

/// A slip's deliveries, whatever became of them.
fn rows(slip: &Slip) -> Result<Vec<Pending>> {
    let text: Text = serde_json::from_str(&slip.text).map_err(Error::internal)?;
    let strange = || Error::internal("a slip names what it does not hold");
    let row = |(id, to, of, seq): &(DeliveryId, usize, usize, i64)| {
        let (destination, client) = *text.to.get(*to).ok_or_else(strange)?;
        let (event_id, event_type, event_created_at, channels) = text.of.get(*of).cloned().ok_or_else(strange)?;
        Ok(Pending {
            tenant: slip.tenant,
            id: *id,
            destination,
            client,
            event_id,
            event_type,
            event_created_at,
            ordering_key: None,
            channels,
            seq: *seq,
            deliver_at: None,
            due_at: text.due_at,
            attempt_count: 0,
            first_count: 0,
            first_at: text.due_at,
            last_status_code: None,
            last_error: None,
            created_at: made_at(*id),
        })
    };
    text.rows.iter().map(row).collect()
}

/// Leaves out what stands in the queue or has ended.
fn without_known(tx: &mut Tx<'_>, tenant: TenantId, mut rows: Vec<Pending>) -> Result<Vec<Pending>> {
    let mut known: HashSet<DeliveryId> = HashSet::new();
    for table in ["deliveries", "queue"] {
        for (list, params) in lists(&[tenant.into()], rows.iter().map(|row| row.id.into())) {
            let sql = format!("SELECT id FROM {table} WHERE tenant_id = ?1 AND id IN {list}");
            known.extend(tx.query(&sql, &params, |row| row.get::<DeliveryId>(0))?);
        }
    }
    rows.retain(|row| !known.contains(&row.id));
    Ok(rows)
}
