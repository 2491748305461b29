//! Reading events again by their keys.

use std::sync::Arc;

use kernel::{DestinationId, Event, EventId, Result, TenantId, Timestamp};
use store::{Tx, Value};

use crate::sql;

/// Tenant, id and the time at which the event was accepted, which tells the partition.
pub type EventKey = (TenantId, EventId, Timestamp);

/// The events of these keys, in any order. One that retention or a purge has removed is left out.
pub fn load(tx: &mut Tx<'_>, keys: &[EventKey]) -> Result<Vec<Arc<Event>>> {
    sql::by_keys(tx, keys)
}

/// When the tenant's event of this id was accepted, though it may not be kept any more. None: there was none.
pub fn accepted_at(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId) -> Result<Option<Timestamp>> {
    let sql = "SELECT created_at FROM event_ids WHERE tenant_id = ?1 AND id = ?2";
    tx.query_opt(sql, &[tenant.into(), id.into()], |row| row.get(0))
}

/// A stretch of the tenant's events in the order of their acceptance.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// From this time.
    pub from: Timestamp,
    /// Until before this time.
    pub to: Timestamp,
    /// Only after this one, which was read last.
    pub after: Option<(Timestamp, EventId)>,
    /// At most so many.
    pub limit: u32,
}

/// The events of a stretch, the oldest first.
pub fn walk(tx: &mut Tx<'_>, tenant: TenantId, stretch: &Stretch) -> Result<Vec<Arc<Event>>> {
    let (at, id) = stretch.after.as_ref().map_or((Timestamp::from_millis(0), ""), |(at, id)| (*at, id.as_str()));
    let statement = format!(
        "SELECT {} FROM events e WHERE e.tenant_id = ?1 AND e.created_at >= ?2 AND e.created_at < ?3 AND (e.created_at, e.id) > (?4, ?5) \
         ORDER BY e.created_at, e.id LIMIT ?6",
        sql::EVENT_COLUMNS
    );
    let params: Vec<Value> =
        vec![tenant.into(), stretch.from.max(at).into(), stretch.to.into(), at.into(), id.into(), stretch.limit.into()];
    tx.query(&statement, &params, |row| sql::read_event(row).map(Arc::new))
}

/// Events that a filter kept from somebody.
#[derive(Clone, Debug, Default)]
pub struct FilteredQuery {
    /// Kept from this destination.
    pub destination: Option<DestinationId>,
    /// Of this type.
    pub event_type: Option<String>,
    /// Accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Accepted before this time.
    pub to: Option<Timestamp>,
    /// Only before this one, which was shown last.
    pub before: Option<(Timestamp, EventId)>,
}

/// The tenant's events that a filter kept from some destination, the newest first, with those destinations.
pub fn filtered(tx: &mut Tx<'_>, tenant: TenantId, query: &FilteredQuery, limit: u32) -> Result<Vec<(Arc<Event>, Vec<DestinationId>)>> {
    let mut params: Vec<Value> = vec![tenant.into()];
    let mut conditions = String::new();
    let mut and = |text: &str, value: Value| {
        params.push(value);
        conditions += &format!(" AND {text} ?{}", params.len());
    };
    if let Some(destination) = query.destination {
        and("e.filtered LIKE", format!("%{destination}%").into());
    }
    if let Some(event_type) = &query.event_type {
        and("e.event_type =", event_type.into());
    }
    if let Some(from) = query.from {
        and("e.created_at >=", from.into());
    }
    if let Some(to) = query.to {
        and("e.created_at <", to.into());
    }
    if let Some((at, id)) = &query.before {
        and("e.created_at <=", (*at).into());
        let place = params.len();
        params.push(id.into());
        conditions += &format!(" AND (e.created_at, e.id) < (?{place}, ?{})", params.len());
    }
    params.push(limit.into());
    let statement = format!(
        "SELECT {}, e.filtered FROM events e WHERE e.tenant_id = ?1 AND e.filtered IS NOT NULL{conditions} \
         ORDER BY e.created_at DESC, e.id DESC LIMIT ?{}",
        sql::EVENT_COLUMNS,
        params.len()
    );
    let column = sql::EVENT_COLUMNS.split(',').count();
    tx.query(&statement, &params, |row| Ok((Arc::new(sql::read_event(row)?), sql::read_filtered(row, column)?)))
}
