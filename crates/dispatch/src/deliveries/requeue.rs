//! Queuing many finished deliveries again, in one step of a run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use kernel::{DestinationId, Result, TenantId};
use store::{Node, Tx};

use super::retry::{BACK, NOT_FINISHED};
use super::worker::worker;
use super::{Delivery, Status, TOPIC};
use crate::destinations::{self, State};
use crate::engine::Engine;
use crate::queue::made_at;

/// Queues those of `rows` again that are finished and whose destination takes deliveries, at once and with their whole schedule before them.
/// Answers how many. A row that came back meanwhile stays as it is, so doing it twice does it once.
pub(crate) fn requeue(engine: &Arc<Engine>, tx: &mut Tx<'_>, tenant: TenantId, rows: &[Delivery]) -> Result<u64> {
    let mut open: BTreeMap<DestinationId, Option<Node>> = BTreeMap::new();
    for row in rows {
        if let Entry::Vacant(place) = open.entry(row.webhook_id) {
            let found = destinations::find(tx, row.webhook_id)?.filter(|found| found.tenant == tenant);
            let takes = found.is_some_and(|found| found.state != State::Disabled);
            place.insert(if takes { Some(worker(tx, engine.node(), tenant, row.webhook_id)?) } else { None });
        }
    }
    let now = tx.now();
    let mut count = 0;
    for row in rows.iter().filter(|row| row.status != Status::Pending) {
        let Some(Some(node)) = open.get(&row.webhook_id) else { continue };
        let key = [tenant.into(), row.id.into(), made_at(row.id).into()];
        let back = [&key[..], &[now.into(), node.id.into(), node.epoch.into()]].concat();
        if tx.exec(BACK, &back)? > 0 {
            tx.exec(NOT_FINISHED, &key)?;
            tx.notify(TOPIC, row.webhook_id);
            count += 1;
        }
    }
    Ok(count)
}
