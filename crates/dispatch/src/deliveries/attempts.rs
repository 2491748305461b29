//! The attempts of a delivery.

use kernel::{DeliveryId, Result, TenantId};
use store::{Row, Tx};

use super::Attempt;
use crate::queue::made_at;

/// Most attempts that are shown: more than a schedule and its manual repetitions have.
const MOST: i64 = 200;
const SELECT: &str = "SELECT id, delivery_id, number, started_at, duration_ms, status_code, error_kind, error, request_headers, response_headers, \
                      response_body FROM attempts WHERE tenant_id = ?1 AND delivery_id = ?2 AND started_at >= ?3 ORDER BY number, started_at LIMIT ?4";

/// The attempts of one of the tenant's deliveries, the first one first. To be run on `store.logs()`; look the delivery up in the state first
/// for the 404.
pub fn attempts(tx: &mut Tx<'_>, tenant: TenantId, delivery: DeliveryId) -> Result<Vec<Attempt>> {
    tx.query(SELECT, &[tenant.into(), delivery.into(), made_at(delivery).into(), MOST.into()], read)
}

fn read(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        id: row.get(0)?,
        delivery_id: row.get(1)?,
        number: row.get(2)?,
        started_at: row.get(3)?,
        duration_ms: row.get(4)?,
        status_code: row.get(5)?,
        error_kind: row.get(6)?,
        error: row.get(7)?,
        request_headers: row.get(8)?,
        response_headers: row.get(9)?,
        response_body: row.get(10)?,
    })
}
