//! What is left of a tenant or a client that is gone, in bounded steps: there may be a million of each. Its destinations went with it, so nothing
//! of this is attempted any more, and the nodes that own what is pending remove it as well.

use kernel::{ClientId, DeliveryId, Result, TenantId};
use store::{Tx, Value};

/// A page of a tenant's finished deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Those that are to go.
    pub ids: Vec<DeliveryId>,
    /// The last one of the page; none: there are no more.
    pub last: Option<DeliveryId>,
}

/// The tenant's finished deliveries after `after`, in the order of their ids; of these, all are to go, or those of one client.
pub fn page(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>, after: DeliveryId, limit: u32) -> Result<Page> {
    let sql = "SELECT id, client_id FROM deliveries WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let read = |row: &store::Row<'_>| Ok((row.get::<DeliveryId>(0)?, row.get::<ClientId>(1)?));
    let found = tx.query(sql, &[tenant.into(), after.into(), limit.into()], read)?;
    let last = found.last().map(|(id, _)| *id);
    let is_theirs = |of: ClientId| client.is_none_or(|client| client == of);
    Ok(Page { ids: found.into_iter().filter(|(_, of)| is_theirs(*of)).map(|(id, _)| id).collect(), last })
}

/// Removes some of what is pending and of what replays noted; answers how many rows. 0: nothing is left.
pub fn some(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>, limit: u32) -> Result<u64> {
    let params: [Value; 3] = [tenant.into(), limit.into(), client.into()];
    let of_client = if client.is_some() { " AND client_id = ?3" } else { "" };
    let params = if client.is_some() { &params[..] } else { &params[..2] };
    for sql in [
        format!("DELETE FROM queue WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM queue WHERE tenant_id = ?1{of_client} LIMIT ?2)"),
        format!(
            "DELETE FROM replayed WHERE (tenant_id, event_id, destination_id) IN \
             (SELECT tenant_id, event_id, destination_id FROM replayed WHERE tenant_id = ?1{of_client} LIMIT ?2)"
        ),
    ] {
        let removed = tx.exec(&sql, params)?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    Ok(0)
}

/// Removes a tenant's attempts among the next `limit` of the log, whose delivery is known no more; answers the last of these, to go on from.
/// None: the log is at its end. To be run on `store.logs()`.
pub fn attempts(tx: &mut Tx<'_>, tenant: TenantId, after: &str, limit: u32) -> Result<Option<String>> {
    let sql = "SELECT delivery_id, tenant_id FROM attempts WHERE delivery_id > ?1 ORDER BY delivery_id LIMIT ?2";
    let read = |row: &store::Row<'_>| Ok((row.get::<DeliveryId>(0)?, row.get::<TenantId>(1)?));
    let mut found = tx.query(sql, &[after.into(), limit.into()], read)?;
    let last = found.last().map(|(id, _)| id.to_string());
    found.retain(|(_, of)| *of == tenant);
    let ids: Vec<DeliveryId> = found.into_iter().map(|(id, _)| id).collect();
    crate::retention::delete_attempts(tx, tenant, &ids)?;
    Ok(last)
}
