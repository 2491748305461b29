//! What is left of a tenant or a client that is gone, in bounded steps: there may be a million of each. Its destinations went with it, so nothing
//! of this is attempted any more, and the nodes that own what is pending remove it as well.

use kernel::{ClientId, DeliveryId, Result, TenantId};
use store::{Dialect, Statement as _, Tx, Value};

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

/// Rows that another transaction holds are left to it. SQLite has one writer and needs no such thing.
const UNHELD: Dialect = Dialect { sqlite: "", postgres: "FOR UPDATE SKIP LOCKED" };

/// Removes some of what is pending and of what replays noted; answers how many rows. 0: nothing is left.
///
/// Their nodes remove the same rows, in orders of their own. So that neither waits for the other in a circle, this never waits while it holds
/// a row: it takes those that nobody holds, and where there are none, it waits for a single one.
pub fn some(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>, limit: u32) -> Result<u64> {
    const TABLES: [(&str, &str); 2] = [("queue", "tenant_id, id"), ("replayed", "tenant_id, event_id, destination_id")];
    let unheld = UNHELD.text(tx.engine());
    for (table, key) in TABLES {
        let removed = remove(tx, table, key, tenant, client, limit, unheld)?;
        if removed > 0 {
            return Ok(removed);
        }
        // What is left is held by somebody who removes it or puts it off: either way this transaction has nothing that they wait for.
        while is_any(tx, table, tenant, client)? {
            let removed = remove(tx, table, key, tenant, client, 1, "")?;
            if removed > 0 {
                return Ok(removed);
            }
        }
    }
    Ok(0)
}

fn of_client(client: Option<ClientId>) -> &'static str {
    if client.is_some() { " AND client_id = ?2" } else { "" }
}

fn params(tenant: TenantId, client: Option<ClientId>) -> Vec<Value> {
    let mut params: Vec<Value> = vec![tenant.into()];
    params.extend(client.map(Value::from));
    params
}

fn remove(tx: &mut Tx<'_>, table: &str, key: &str, tenant: TenantId, client: Option<ClientId>, limit: u32, lock: &str) -> Result<u64> {
    let which = of_client(client);
    let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE tenant_id = ?1{which} LIMIT {limit} {lock})");
    tx.exec(&sql, &params(tenant, client))
}

fn is_any(tx: &mut Tx<'_>, table: &str, tenant: TenantId, client: Option<ClientId>) -> Result<bool> {
    let sql = format!("SELECT CAST(1 AS BIGINT) FROM {table} WHERE tenant_id = ?1{} LIMIT 1", of_client(client));
    Ok(tx.query_opt(&sql, &params(tenant, client), |row| row.get::<i64>(0))?.is_some())
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
