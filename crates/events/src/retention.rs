//! Letting go of events: the payload first, what is known about them later. Steps are small, since each holds the writer.

use kernel::{EventId, Result, TenantId, Timestamp};
use store::{Tx, Value};

/// A stored event, as far as retention looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldEvent {
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Its id.
    pub id: EventId,
    /// How many deliveries it had at first.
    pub deliveries: u64,
    /// Whether it still has its payload.
    pub has_payload: bool,
}

/// The tenant's events after `after` that were accepted before `before`, the oldest first.
pub fn old(tx: &mut Tx<'_>, tenant: TenantId, after: &(Timestamp, String), before: Timestamp, limit: u32) -> Result<Vec<OldEvent>> {
    tx.query(
        "SELECT created_at, id, deliveries, CAST(LENGTH(data) AS BIGINT) FROM events \
         WHERE tenant_id = ?1 AND created_at >= ?2 AND created_at < ?4 AND (created_at, id) > (?2, ?3) ORDER BY created_at, id LIMIT ?5",
        &[tenant.into(), after.0.into(), after.1.as_str().into(), before.into(), limit.into()],
        |row| {
            let has_payload = row.get::<i64>(3)? > 0;
            Ok(OldEvent { created_at: row.get(0)?, id: row.get(1)?, deliveries: row.get(2)?, has_payload })
        },
    )
}

/// One event, or none: also one whose payload was erased.
pub fn one(tx: &mut Tx<'_>, key: &crate::EventKey) -> Result<Vec<std::sync::Arc<kernel::Event>>> {
    let sql = format!("SELECT {} FROM events e WHERE e.tenant_id = ?1 AND e.id = ?2 AND e.created_at = ?3", crate::sql::EVENT_COLUMNS);
    tx.query(&sql, &[key.0.into(), (&key.1).into(), key.2.into()], |row| crate::sql::read_event(row).map(std::sync::Arc::new))
}

/// Erases the payloads of these events. What is known about them stays: type, times, who was to get them.
pub fn erase(tx: &mut Tx<'_>, tenant: TenantId, events: &[(Timestamp, EventId)]) -> Result<u64> {
    let sql = "UPDATE events SET data = ?4 WHERE tenant_id = ?1 AND created_at = ?2 AND id = ?3";
    each(tx, events, |tx, at, id| tx.exec(sql, &[tenant.into(), at.into(), id.into(), Value::Blob(Vec::new())]))
}

/// Erases everything that these events say: payload, ordering key, channels.
pub fn expunge(tx: &mut Tx<'_>, tenant: TenantId, events: &[(Timestamp, EventId)]) -> Result<u64> {
    let sql = "UPDATE events SET data = ?4, ordering_key = NULL, channels = NULL WHERE tenant_id = ?1 AND created_at = ?2 AND id = ?3";
    each(tx, events, |tx, at, id| tx.exec(sql, &[tenant.into(), at.into(), id.into(), Value::Blob(Vec::new())]))
}

/// Deletes these events. Their ids stay taken.
pub fn delete(tx: &mut Tx<'_>, tenant: TenantId, events: &[(Timestamp, EventId)]) -> Result<u64> {
    let sql = "DELETE FROM events WHERE tenant_id = ?1 AND created_at = ?2 AND id = ?3";
    each(tx, events, |tx, at, id| tx.exec(sql, &[tenant.into(), at.into(), id.into()]))
}

fn each(
    tx: &mut Tx<'_>,
    events: &[(Timestamp, EventId)],
    mut one: impl FnMut(&mut Tx<'_>, Timestamp, &EventId) -> Result<u64>,
) -> Result<u64> {
    events.iter().try_fold(0, |sum, (at, id)| Ok(sum + one(tx, *at, id)?))
}

/// Removes some of what is left of a tenant that is gone; answers how many rows. 0: nothing is left.
pub fn purge_some(tx: &mut Tx<'_>, tenant: TenantId, limit: u32) -> Result<u64> {
    for (table, key) in
        [("events", "tenant_id, created_at, id"), ("event_groups", "tenant_id, seq, event_id, created_at"), ("event_ids", "tenant_id, id")]
    {
        let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE tenant_id = ?1 LIMIT ?2)");
        let removed = tx.exec(&sql, &[tenant.into(), limit.into()])?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    Ok(0)
}

/// Publications that are kept apart, after the one with this id, in the order of their ids; as the events that they would be.
pub fn held(tx: &mut Tx<'_>, tenant: TenantId, after: &str, limit: u32) -> Result<Vec<std::sync::Arc<kernel::Event>>> {
    crate::quarantined_events::held_after(tx, tenant, after, limit)
}

/// Removes a publication that is kept apart; whether it was there.
pub fn forget_held(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<bool> {
    crate::quarantined_events::forget(tx, tenant, id)
}

/// Forgets the order in which readers saw events of days that have ended before `before`; answers how many groups.
pub fn forget_groups(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    let day = before.minus(std::time::Duration::from_hours(24));
    tx.exec(
        "DELETE FROM event_groups WHERE (tenant_id, seq, event_id, created_at) IN (SELECT tenant_id, seq, event_id, created_at FROM event_groups \
         WHERE tenant_id = ?1 AND created_at < ?2 ORDER BY seq LIMIT ?3)",
        &[tenant.into(), day.into(), limit.into()],
    )
}

/// One event for an export: the row as a line of JSON, with its tenant.
pub fn export(tx: &mut Tx<'_>, after: &(String, Timestamp, String), from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<Exported>> {
    tx.query(
        "SELECT tenant_id, created_at, id, event_type, occurred_at, client_id, channels, ordering_key, deliver_at, data, deliveries FROM events \
         WHERE created_at >= ?4 AND created_at < ?5 AND (tenant_id, created_at, id) > (?1, ?2, ?3) ORDER BY tenant_id, created_at, id LIMIT ?6",
        &[after.0.as_str().into(), after.1.into(), after.2.as_str().into(), from.into(), to.into(), limit.into()],
        exported,
    )
}

/// A line of an export and where the next one goes on.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Without a line end.
    pub line: String,
    /// Tenant, time and id.
    pub at: (String, Timestamp, String),
}

fn exported(row: &store::Row<'_>) -> Result<Exported> {
    let (tenant, created_at, id): (String, Timestamp, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let data = String::from_utf8(row.get::<Vec<u8>>(9)?).map_err(kernel::Error::internal)?;
    let channels: Option<String> = row.get(6)?;
    let payload: Option<&serde_json::value::RawValue> =
        if data.is_empty() { None } else { Some(serde_json::from_str(&data).map_err(kernel::Error::internal)?) };
    let line = Line {
        tenant_id: &tenant,
        id: &id,
        event_type: row.get(3)?,
        created_at,
        occurred_at: row.get(4)?,
        client_id: row.get(5)?,
        channels: channels.map(|text| serde_json::from_str(&text)).transpose().map_err(kernel::Error::internal)?,
        ordering_key: row.get(7)?,
        deliver_at: row.get(8)?,
        deliveries: row.get(10)?,
        data: payload,
    };
    Ok(Exported { line: serde_json::to_string(&line).map_err(kernel::Error::internal)?, at: (tenant, created_at, id) })
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    tenant_id: &'a str,
    id: &'a str,
    #[serde(rename = "type")]
    event_type: String,
    created_at: Timestamp,
    occurred_at: Timestamp,
    client_id: Option<String>,
    channels: Option<Vec<String>>,
    ordering_key: Option<String>,
    deliver_at: Option<Timestamp>,
    deliveries: u64,
    data: Option<&'a serde_json::value::RawValue>,
}
