//! Ending pending deliveries by hand.

use std::sync::Arc;

use kernel::{DeliveryId, DestinationId, Error, EventId, PageRequest, Result, TenantId};
use store::{Change, Tx};

use super::{Delivery, DeliveryFilter, Status, get, list};
use crate::engine::Engine;
use crate::queue::slips::{self, Which};
use crate::queue::{self, Finish, Pending};

/// The topic of notices that a delivery was cancelled, for the node that may hold it in memory; the key is `<destination> <delivery>`.
const TOPIC: &str = "delivery.cancelled";
/// Most deliveries of an event that one call cancels: one for every webhook that a tenant can have.
const MOST: u32 = 100_000;

/// Ends a pending delivery as skipped, reason `cancelled`. An attempt that is under way is not called back; its outcome changes nothing.
///
/// Errors: 404, 409 `delivery_ended`.
pub(crate) fn cancel(tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<Delivery> {
    slips::spill(tx, Which::Tenant(tenant))?;
    if !end(tx, tenant, id)? {
        get(tx, tenant, id)?;
        return Err(Error::conflict(
            "delivery_ended",
            "This delivery is not pending any more: it has ended. Look at its status and reason.",
        ));
    }
    tx.audit("delivery.cancel", id)?;
    get(tx, tenant, id)
}

/// Ends every pending delivery of an event; answers how many there were. The event stays, with its deliveries' ends.
pub(crate) fn cancel_event(tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<u64> {
    slips::spill(tx, Which::Tenant(tenant))?;
    let filter = DeliveryFilter { event: Some(event.clone()), status: Some(Status::Pending), ..DeliveryFilter::default() };
    let pending = list(tx, tenant, &filter, &PageRequest { limit: MOST, ..PageRequest::default() })?;
    let mut count = 0;
    for row in pending.data {
        count += u64::from(end(tx, tenant, row.id)?);
    }
    tx.audit("event.cancel", event)?;
    Ok(count)
}

fn end(tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<bool> {
    queue::let_go_behind(tx, tenant, id)?;
    let sql = format!("DELETE FROM queue WHERE tenant_id = ?1 AND id = ?2 RETURNING {}", queue::COLUMNS);
    let Some(row): Option<Pending> = tx.query_opt(&sql, &[tenant.into(), id.into()], queue::read)? else { return Ok(false) };
    let now = tx.now();
    queue::insert_finished(tx, std::iter::once(&Finish::unattempted(&row, "skipped", "cancelled")), now)?;
    tx.notify(TOPIC, format_args!("{} {id}", row.destination));
    Ok(true)
}

/// Follows cancellations of every node.
pub(crate) fn follow(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    engine.store.on_change(Box::new(move |change: &Change| {
        if change.topic != TOPIC {
            return;
        }
        let ids = change.key.split_once(' ').and_then(|(a, b)| Some((a.parse::<DestinationId>().ok()?, b.parse::<DeliveryId>().ok()?)));
        if let (Some(engine), Some((destination, delivery))) = (weak.upgrade(), ids) {
            engine.cancelled(destination, delivery);
        }
    }));
}
