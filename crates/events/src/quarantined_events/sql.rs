//! Every statement on `quarantined_events` and `quarantine_fill`.

use std::sync::Arc;

use kernel::{Event, EventId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::view::QuarantinedEventView;
use super::{MAX_HELD_BYTES, MAX_HELD_EVENTS, ReleaseMany};
use crate::accept::Item;
use crate::sql::{json, list, read_faults};

/// The columns of [`read`].
const COLUMNS: &str = "q.id, q.event_type, q.schema_version, q.occurred_at, q.held_at, q.client_id, q.channels, q.ordering_key, q.deliver_at, q.problems, q.data";

fn read(row: &Row<'_>) -> Result<QuarantinedEventView> {
    let data = String::from_utf8(row.get::<Vec<u8>>(10)?).map_err(kernel::Error::internal)?;
    Ok(QuarantinedEventView {
        id: row.get(0)?,
        event_type: row.get(1)?,
        schema_version: row.get(2)?,
        occurred_at: row.get(3)?,
        held_at: row.get(4)?,
        client_id: row.get(5)?,
        channels: list(row, 6)?,
        ordering_key: row.get(7)?,
        deliver_at: row.get(8)?,
        problems: read_faults(row, 9)?,
        data: serde_json::value::RawValue::from_string(data).map_err(kernel::Error::internal)?,
    })
}

/// Whether it was not there yet.
pub(super) fn insert(tx: &mut Tx<'_>, item: &Item) -> Result<bool> {
    let event = &item.event;
    let values: [Value; 13] = [
        event.tenant.into(),
        (&event.id).into(),
        event.created_at.into(),
        (event.data.len() as u64).into(),
        (&event.event_type).into(),
        event.schema_version.into(),
        event.occurred_at.into(),
        event.client.into(),
        if event.channels.is_empty() { Value::Null } else { json(&event.channels)? },
        event.ordering_key.as_deref().into(),
        event.deliver_at.into(),
        json(&item.faults)?,
        event.data.to_vec().into(),
    ];
    let into = "INSERT INTO quarantined_events (tenant_id, id, held_at, size, event_type, schema_version, occurred_at, client_id, channels, \
                ordering_key, deliver_at, problems, data) VALUES";
    Ok(tx.insert_rows(into, values.len(), &values, "ON CONFLICT DO NOTHING")? == 1)
}

/// Counts one more of so many bytes, if there is room.
pub(super) fn fill(tx: &mut Tx<'_>, tenant: TenantId, bytes: u64) -> Result<bool> {
    let sql = "INSERT INTO quarantine_fill (tenant_id, events, bytes) VALUES (?1, 1, ?2) ON CONFLICT (tenant_id) DO UPDATE \
               SET events = quarantine_fill.events + 1, bytes = quarantine_fill.bytes + excluded.bytes \
               WHERE quarantine_fill.events < ?3 AND quarantine_fill.bytes + excluded.bytes <= ?4";
    Ok(tx.exec(sql, &[tenant.into(), bytes.into(), MAX_HELD_EVENTS.into(), MAX_HELD_BYTES.into()])? == 1)
}

/// Removes a row that was never counted.
pub(super) fn delete_row(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<()> {
    tx.exec("DELETE FROM quarantined_events WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
    Ok(())
}

/// Removes one and counts it out. `held_at`: only the one that came then. Whether it was there.
pub(super) fn remove(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId, held_at: Option<Timestamp>) -> Result<bool> {
    let sql = "DELETE FROM quarantined_events WHERE tenant_id = ?1 AND id = ?2 AND held_at = COALESCE(CAST(?3 AS BIGINT), held_at) RETURNING size";
    let size: Option<i64> = tx.query_opt(sql, &[tenant.into(), id.into(), held_at.into()], |row| row.get(0))?;
    let Some(size) = size else { return Ok(false) };
    let sql = "UPDATE quarantine_fill SET events = events - 1, bytes = bytes - ?2 WHERE tenant_id = ?1";
    tx.exec(sql, &[tenant.into(), size.into()])?;
    Ok(true)
}

pub(super) fn find(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<Option<QuarantinedEventView>> {
    let statement = format!("SELECT {COLUMNS} FROM quarantined_events q WHERE q.tenant_id = ?1 AND q.id = ?2");
    tx.query_opt(&statement, &[tenant.into(), id.into()], read)
}

/// A part of the list, the newest first.
pub(super) fn select(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    event_type: Option<&str>,
    after: Option<(i64, &str)>,
    limit: u32,
) -> Result<Vec<QuarantinedEventView>> {
    let mut params: Vec<Value> = vec![tenant.into(), limit.into()];
    let mut conditions = String::new();
    if let Some(event_type) = event_type {
        params.push(event_type.into());
        conditions += &format!(" AND q.event_type = ?{}", params.len());
    }
    if let Some((at, id)) = after {
        params.extend([at.into(), id.into()]);
        conditions += &format!(" AND (q.held_at, q.id) < (?{}, ?{})", params.len() - 1, params.len());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM quarantined_events q WHERE q.tenant_id = ?1{conditions} ORDER BY q.held_at DESC, q.id DESC LIMIT ?2"
    );
    tx.query(&statement, &params, read)
}

/// A part of those that are to be released, the oldest first.
pub(super) fn oldest(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    asked: &ReleaseMany,
    after: Option<&(Timestamp, EventId)>,
    limit: u32,
) -> Result<Vec<QuarantinedEventView>> {
    let (at, id) = after.map_or((asked.from.unwrap_or_default(), String::new()), |(at, id)| (*at, id.to_string()));
    let mut params: Vec<Value> = vec![tenant.into(), limit.into(), at.into(), id.into()];
    let mut conditions = String::new();
    if let Some(event_type) = &asked.event_type {
        params.push(event_type.into());
        conditions += &format!(" AND q.event_type = ?{}", params.len());
    }
    if let Some(to) = asked.to {
        params.push(to.into());
        conditions += &format!(" AND q.held_at < ?{}", params.len());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM quarantined_events q WHERE q.tenant_id = ?1 AND (q.held_at, q.id) > (?3, ?4){conditions} \
         ORDER BY q.held_at, q.id LIMIT ?2"
    );
    tx.query(&statement, &params, read)
}

/// Those after the one with this id, as the events that they would be.
pub(crate) fn held_after(tx: &mut Tx<'_>, tenant: TenantId, after: &str, limit: u32) -> Result<Vec<Arc<Event>>> {
    let statement = format!("SELECT {COLUMNS} FROM quarantined_events q WHERE q.tenant_id = ?1 AND q.id > ?2 ORDER BY q.id LIMIT ?3");
    let views = tx.query(&statement, &[tenant.into(), after.into(), limit.into()], read)?;
    Ok(views
        .into_iter()
        .map(|held| {
            let at = held.held_at;
            Arc::new(held.into_event(tenant, at))
        })
        .collect())
}

/// Removes one and counts it out; whether it was there.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<bool> {
    remove(tx, tenant, id, None)
}

/// Everything of a tenant goes.
pub(crate) fn purge_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM quarantined_events WHERE tenant_id = ?1", &[tenant.into()])?;
    tx.exec("DELETE FROM quarantine_fill WHERE tenant_id = ?1", &[tenant.into()])?;
    Ok(())
}

/// One goes, if it is there.
pub(crate) fn purge_one(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<()> {
    forget(tx, tenant, id).map(|_| ())
}
