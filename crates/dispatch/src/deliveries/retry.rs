//! Trying again by hand.

use std::sync::Arc;

use kernel::{DeliveryId, Error, Result, TenantId};
use store::Tx;

use super::worker::worker;
use super::{Delivery, TOPIC, get, sql};
use crate::destinations::{self, State};
use crate::engine::Engine;
use crate::queue::slips::{self, Which};
use crate::queue::{self, made_at};

const PENDING: &str = "UPDATE queue SET due_at = ?3, first_at = ?3, first_count = attempt_count WHERE tenant_id = ?1 AND id = ?2";
pub(super) const BACK: &str = "INSERT INTO queue (tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, ordering_key, channels, seq, \
                    deliver_at, due_at, attempt_count, first_count, first_at, last_status_code, last_error, created_at, owner, epoch) \
                    SELECT tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, ordering_key, channels, seq, deliver_at, \
                    CAST(?4 AS BIGINT), attempt_count, attempt_count, CAST(?4 AS BIGINT), last_status_code, last_error, created_at, \
                    CAST(?5 AS TEXT), CAST(?6 AS BIGINT) FROM deliveries WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3";
pub(super) const NOT_FINISHED: &str = "DELETE FROM deliveries WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3";

pub(crate) fn retry(engine: &Arc<Engine>, tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<Delivery> {
    let old = get(tx, tenant, id)?;
    let gone = |_| Error::conflict("webhook_disabled", "The webhook of this delivery is deleted or disabled. Enable it first.");
    let destination = destinations::get(tx, tenant, old.webhook_id).map_err(gone)?;
    if destination.state == State::Disabled {
        return Err(gone(Error::not_found("webhook")));
    }
    let (now, node) = (tx.now(), worker(tx, engine.node(), tenant, old.webhook_id)?);
    slips::spill(tx, Which::Tenant(tenant))?;
    queue::let_go_behind(tx, tenant, id)?;
    if tx.exec(PENDING, &[tenant.into(), id.into(), now.into()])? == 0 {
        let key = [tenant.into(), id.into(), made_at(id).into()];
        let back = [&key[..], &[now.into(), node.id.into(), node.epoch.into()]].concat();
        tx.exec(BACK, &back)?;
        tx.exec(NOT_FINISHED, &key)?;
    }
    tx.audit("delivery.retry", id)?;
    tx.notify(TOPIC, old.webhook_id);
    let queued = format!("SELECT {} FROM queue WHERE tenant_id = ?1 AND id = ?2", sql::PENDING);
    tx.query_one(&queued, &[tenant.into(), id.into()], sql::read)
}
