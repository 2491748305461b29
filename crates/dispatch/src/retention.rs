//! Letting go of deliveries and attempts: what receivers said first, the rows later. Nothing here touches what is pending. Steps are small,
//! since each holds the writer.

use std::collections::{HashMap, HashSet};

use kernel::id::TypedId as _;
use kernel::{DeliveryId, EventId, Result, TenantId, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;
use store::{Tx, Value};

use crate::look_ups::lists;
use crate::queue::slips;

/// Which of these events, given with the number of deliveries that they had at first, have a delivery that is pending.
///
/// The queue is found by its own ids only, so it is searched for those alone that have not as many ends as deliveries, or were replayed.
pub fn pending_among(tx: &mut Tx<'_>, tenant: TenantId, events: &[(EventId, u64)]) -> Result<HashSet<EventId>> {
    let ids: Vec<&EventId> = events.iter().map(|(id, _)| id).collect();
    let ends = "SELECT event_id, COUNT(*) FROM deliveries WHERE tenant_id = ?1 AND reason <> 'test' AND event_id IN";
    let ended: HashMap<EventId, u64> =
        among(tx, ends, " GROUP BY event_id", tenant, &ids, |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect();
    let again = "SELECT event_id FROM replayed WHERE tenant_id = ?1 AND event_id IN";
    let replayed: HashSet<EventId> = among(tx, again, "", tenant, &ids, |row| row.get(0))?.into_iter().collect();
    let is_open = |(id, planned): &&(EventId, u64)| replayed.contains(id) || ended.get(id).copied().unwrap_or(0) < *planned;
    let open: Vec<&EventId> = events.iter().filter(is_open).map(|(id, _)| id).collect();
    let queued = "SELECT DISTINCT event_id FROM queue WHERE tenant_id = ?1 AND event_id IN";
    let mut pending: HashSet<EventId> = among(tx, queued, "", tenant, &open, |row| row.get(0))?.into_iter().collect();
    let on_slips = slips::of_tenant(tx, tenant, |row| open.contains(&&row.event_id))?;
    pending.extend(on_slips.into_iter().map(|row| row.event_id));
    Ok(pending)
}

fn among<T>(
    tx: &mut Tx<'_>,
    select: &str,
    tail: &str,
    tenant: TenantId,
    ids: &[&EventId],
    mut read: impl FnMut(&store::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut out = Vec::new();
    for (list, params) in lists(&[tenant.into()], ids.iter().map(|id| Value::from(*id))) {
        out.extend(tx.query(&format!("{select} {list}{tail}"), &params, &mut read)?);
    }
    Ok(out)
}

/// Whether anything pending is of an event that was accepted in this time. Reads the whole queue: for a reader, and seldom.
pub fn is_pending_between(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<bool> {
    let sql = "SELECT CAST(1 AS BIGINT) FROM queue WHERE event_created_at >= ?1 AND event_created_at < ?2 LIMIT 1";
    if tx.query_opt(sql, &[from.into(), to.into()], |row| row.get::<i64>(0))?.is_some() {
        return Ok(true);
    }
    Ok(!slips::of_all(tx, |row| row.event_created_at >= from && row.event_created_at < to)?.is_empty())
}

/// The tenant's finished deliveries after `after` that were made before `before`, in the order of their ids.
pub fn finished(tx: &mut Tx<'_>, tenant: TenantId, after: DeliveryId, before: Timestamp, limit: u32) -> Result<Vec<DeliveryId>> {
    let sql = "SELECT id FROM deliveries WHERE tenant_id = ?1 AND id > ?2 AND id < ?3 ORDER BY id LIMIT ?4";
    tx.query(sql, &[tenant.into(), after.into(), DeliveryId::first_at(before).into(), limit.into()], |row| row.get(0))
}

/// The finished deliveries of an event.
pub fn of_event(tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<Vec<DeliveryId>> {
    tx.query("SELECT id FROM deliveries WHERE tenant_id = ?1 AND event_id = ?2", &[tenant.into(), event.into()], |row| row.get(0))
}

/// Erases what receivers answered at last.
pub fn erase_answers(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql =
        "UPDATE deliveries SET response_body = NULL WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3 AND response_body IS NOT NULL";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into(), made_at(*id)])?))
}

/// Erases what finished deliveries of an expunged event say: the answer, the error's text, the ordering key, the channels.
pub fn expunge(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql = "UPDATE deliveries SET response_body = NULL, last_error = NULL, ordering_key = NULL, channels = NULL \
               WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into(), made_at(*id)])?))
}

/// Deletes finished deliveries.
pub fn delete(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql = "DELETE FROM deliveries WHERE tenant_id = ?1 AND id = ?2 AND created_at = ?3";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into(), made_at(*id)])?))
}

fn made_at(id: DeliveryId) -> Value {
    crate::queue::made_at(id).into()
}

/// Erases headers, bodies and texts of these deliveries' attempts. To be run on `store.logs()`, as all that follows.
pub fn erase_attempts(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql = "UPDATE attempts SET request_headers = NULL, response_headers = NULL, response_body = NULL WHERE tenant_id = ?1 AND delivery_id = ?2 \
               AND (request_headers IS NOT NULL OR response_headers IS NOT NULL OR response_body IS NOT NULL)";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into()])?))
}

/// The same with the errors' texts.
pub fn expunge_attempts(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql = "UPDATE attempts SET request_headers = NULL, response_headers = NULL, response_body = NULL, error = NULL \
               WHERE tenant_id = ?1 AND delivery_id = ?2";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into()])?))
}

/// Deletes these deliveries' attempts.
pub fn delete_attempts(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DeliveryId]) -> Result<u64> {
    let sql = "DELETE FROM attempts WHERE tenant_id = ?1 AND delivery_id = ?2";
    ids.iter().try_fold(0, |sum, id| Ok(sum + tx.exec(sql, &[tenant.into(), (*id).into()])?))
}

/// Deletes some attempts of any tenant that began before `before`; answers how many. Also those whose delivery went with its webhook.
pub fn delete_old_attempts(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        "DELETE FROM attempts WHERE (delivery_id, number, started_at) IN (SELECT delivery_id, number, started_at FROM attempts \
         WHERE delivery_id < ?1 AND started_at < ?2 ORDER BY delivery_id LIMIT ?3)",
        &[DeliveryId::first_at(before).into(), before.into(), limit.into()],
    )
}

/// Deletes some of a tenant's hourly counts from before `before`; answers how many.
pub fn delete_old_counts(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        "DELETE FROM attempt_rollups WHERE (tenant_id, destination_id, hour, node) IN (SELECT tenant_id, destination_id, hour, node \
         FROM attempt_rollups WHERE tenant_id = ?1 AND hour < ?2 ORDER BY hour LIMIT ?3)",
        &[tenant.into(), before.into(), limit.into()],
    )
}

/// Deletes some of what replays noted before `before`, where nothing is pending of it; answers how many.
pub fn delete_old_replayed(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    tx.exec(
        "DELETE FROM replayed WHERE (tenant_id, event_id, destination_id) IN (SELECT r.tenant_id, r.event_id, r.destination_id FROM replayed r \
         WHERE r.tenant_id = ?1 AND r.delivery_id < ?2 \
         AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.tenant_id = r.tenant_id AND q.id = r.delivery_id) LIMIT ?3)",
        &[tenant.into(), DeliveryId::first_at(before).into(), limit.into()],
    )
}

/// Takes the errors' texts of an event's attempts out of the journal, from which the log is completed after a crash. To be run on the state.
pub fn expunge_journal(tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<()> {
    let read = |row: &store::Row<'_>| Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?));
    for (node, number, text) in tx.query("SELECT node, number, attempts FROM attempt_journal", &[], read)? {
        let mut attempts: Vec<Json> = serde_json::from_str(&text).map_err(kernel::Error::internal)?;
        let is_of = |attempt: &Json| attempt["event"] == event.as_str() && attempt["tenant"] == tenant.to_string();
        let mut found = false;
        for attempt in attempts.iter_mut().filter(|attempt| is_of(attempt)) {
            attempt["error"] = Json::Null;
            found = true;
        }
        if found {
            let text = serde_json::to_string(&attempts).map_err(kernel::Error::internal)?;
            let sql = "UPDATE attempt_journal SET attempts = ?3 WHERE node = ?1 AND number = ?2";
            tx.exec(sql, &[node.into(), number.into(), text.into()])?;
        }
    }
    Ok(())
}

/// A line of an export and where the next one goes on.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Without a line end.
    pub line: String,
    /// Tenant and id.
    pub at: (String, String),
}

/// Finished deliveries that were made in this time, as lines of JSON.
pub fn export(tx: &mut Tx<'_>, after: &(String, String), from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<Exported>> {
    tx.query(
        "SELECT tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, seq, created_at, status, reason, attempt_count, \
         finished_at, last_status_code, last_error, response_body FROM deliveries \
         WHERE created_at >= ?3 AND created_at < ?4 AND (tenant_id, id) > (?1, ?2) ORDER BY tenant_id, id LIMIT ?5",
        &[after.0.as_str().into(), after.1.as_str().into(), from.into(), to.into(), limit.into()],
        |row| {
            let line = Line {
                tenant_id: row.get(0)?,
                id: row.get(1)?,
                webhook_id: row.get(2)?,
                client_id: row.get(3)?,
                event_id: row.get(4)?,
                event_type: row.get(5)?,
                event_created_at: row.get(6)?,
                sequence: row.get(7)?,
                created_at: row.get(8)?,
                status: row.get(9)?,
                reason: row.get(10)?,
                attempt_count: row.get(11)?,
                finished_at: row.get(12)?,
                response_code: row.get(13)?,
                error_message: row.get(14)?,
                response_body: row.get(15)?,
            };
            let text = serde_json::to_string(&line).map_err(kernel::Error::internal)?;
            Ok(Exported { line: text, at: (line.tenant_id, line.id) })
        },
    )
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    tenant_id: String,
    id: String,
    webhook_id: String,
    client_id: String,
    event_id: String,
    event_type: String,
    event_created_at: Timestamp,
    sequence: i64,
    created_at: Timestamp,
    status: String,
    reason: String,
    attempt_count: u32,
    finished_at: Timestamp,
    response_code: Option<u16>,
    error_message: Option<String>,
    response_body: Option<String>,
}
