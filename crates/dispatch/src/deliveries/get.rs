//! One delivery.

use kernel::{DeliveryId, Error, Result, TenantId};
use store::Tx;

use super::{Delivery, sql};
use crate::queue::{made_at, slips};

/// One of the tenant's deliveries. Error: 404.
pub fn get(tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<Delivery> {
    let pending = format!("SELECT {} FROM queue WHERE tenant_id = ?1 AND id = ?2", sql::PENDING);
    if let Some(found) = tx.query_opt(&pending, &[tenant.into(), id.into()], sql::read)? {
        return Ok(found);
    }
    let finished = format!("SELECT {} FROM deliveries WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3", sql::FINISHED);
    if let Some(found) = tx.query_opt(&finished, &[tenant.into(), id.into(), made_at(id).into()], sql::read)? {
        return Ok(found);
    }
    let on_slip = slips::of_tenant(tx, tenant, |row| row.id == id)?.pop();
    on_slip.map(Delivery::from).ok_or_else(|| Error::not_found("delivery"))
}
