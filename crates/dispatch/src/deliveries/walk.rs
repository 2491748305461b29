//! What ended without having arrived, the oldest first: for runs that repair it.

use kernel::{DeliveryId, Result, TenantId};
use store::Tx;

use super::list::{conditions, finished};
use super::{Delivery, DeliveryFilter, sql};

/// The next finished deliveries that match, after `after` in the order of their making. Give a filter that asks for what has not arrived, so
/// that the walk goes along the index of these.
pub fn walk(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Delivery>> {
    let mut both = conditions(tenant, filter);
    if let Some(after) = after {
        both.and("id >", after);
    }
    let text = finished(filter, &mut both);
    let limit = both.place(limit);
    tx.query(&format!("SELECT {} FROM deliveries WHERE {text} ORDER BY id LIMIT ?{limit}", sql::FINISHED), &both.values, sql::read)
}
