//! Every statement of this crate on `events` and `event_ids`, but for the lists.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use kernel::{DestinationId, Error, Event, EventId, EventType, FieldError, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use crate::Planned;
use crate::accept::Item;

/// Keys per look-up statement: few sizes, so that few statements are prepared. The last one is filled up by repeating its last key.
const LOOK_UPS: [usize; 4] = [1, 8, 32, 256];

/// The columns of an event, in the order of [`read_event`].
pub(crate) const EVENT_COLUMNS: &str = "e.tenant_id, e.id, e.event_type, e.occurred_at, e.created_at, e.data, e.client_id, e.channels, e.ordering_key, e.deliver_at, e.schema_version";

/// The columns of an event as it is shown, in the order of [`crate::view::read`].
pub(crate) fn view_columns() -> String {
    format!("{EVENT_COLUMNS}, e.deliveries, e.filtered, e.warnings")
}

/// How many they are.
pub(crate) const VIEW_COLUMNS: usize = 14;

/// What is known about an id that was stored before.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    /// The claim that won.
    pub(crate) claim: i64,
    /// What it was answered, while the event is kept.
    pub(crate) kept: Option<Kept>,
}

/// What an event was answered.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) event_type: EventType,
    pub(crate) deliveries: u32,
    pub(crate) warnings: u32,
}

/// Inserts ids that are not there yet; answers how many were not.
pub(crate) fn insert_ids(tx: &mut Tx<'_>, items: &[Item]) -> Result<u64> {
    // Every writer takes the rows in the same order, so that two that share ids wait for each other in one direction only.
    let mut sorted: Vec<&Item> = items.iter().collect();
    sorted.sort_by(|a, b| (a.event.tenant, &a.event.id).cmp(&(b.event.tenant, &b.event.id)));
    let mut values = Vec::with_capacity(sorted.len() * 4);
    for item in sorted {
        let event = &item.event;
        values.extend([event.tenant.into(), (&event.id).into(), event.created_at.into(), item.claim.into()]);
    }
    tx.insert_rows("INSERT INTO event_ids (tenant_id, id, created_at, claim) VALUES", 4, &values, "ON CONFLICT DO NOTHING")
}

/// What is stored about the items' ids.
pub(crate) fn earlier(tx: &mut Tx<'_>, items: &[Item]) -> Result<HashMap<(TenantId, EventId), Earlier>> {
    let keys: Vec<[Value; 2]> = items.iter().map(|item| [item.event.tenant.into(), (&item.event.id).into()]).collect();
    let from = "SELECT i.tenant_id, i.id, i.claim, e.event_type, e.deliveries, e.warnings FROM wanted w \
                CROSS JOIN event_ids i LEFT JOIN events e ON e.tenant_id = i.tenant_id AND e.created_at = i.created_at AND e.id = i.id \
                WHERE i.tenant_id = w.a AND i.id = w.b";
    let rows = look_up(tx, ["a", "b"], from, &keys, |row| {
        let kept = row.get::<Option<EventType>>(3)?.map(|event_type| -> Result<Kept> {
            let warnings = u32::try_from(read_faults(row, 5)?.len()).unwrap_or(u32::MAX);
            Ok(Kept { event_type, deliveries: row.get(4)?, warnings })
        });
        Ok(((row.get(0)?, row.get(1)?), Earlier { claim: row.get(2)?, kept: kept.transpose()? }))
    })?;
    Ok(rows.into_iter().collect())
}

/// The events of these keys, in any order; not those whose payload was erased, which nobody can be sent any more.
pub(crate) fn by_keys(tx: &mut Tx<'_>, keys: &[(TenantId, EventId, Timestamp)]) -> Result<Vec<Arc<Event>>> {
    let keys: Vec<[Value; 3]> = keys.iter().map(|(tenant, id, at)| [(*tenant).into(), id.into(), (*at).into()]).collect();
    let from = format!(
        "SELECT {EVENT_COLUMNS} FROM wanted w CROSS JOIN events e WHERE e.tenant_id = w.a AND e.id = w.b AND e.created_at = CAST(w.c AS BIGINT) \
         AND LENGTH(e.data) > 0"
    );
    look_up(tx, ["a", "b", "c"], &from, &keys, |row| read_event(row).map(Arc::new))
}

/// Runs `select` over `wanted`, a table of `keys`. The select says `CROSS JOIN`, which keeps SQLite's planner from scanning the large table and
/// looking up the few keys in it (PostgreSQL takes it as any other join). A key that comes twice may give its rows twice.
fn look_up<const N: usize, T>(
    tx: &mut Tx<'_>,
    columns: [&str; N],
    select: &str,
    keys: &[[Value; N]],
    mut map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut out = Vec::with_capacity(keys.len());
    let mut rest = keys;
    while let Some(last) = rest.last() {
        let size = LOOK_UPS.into_iter().find(|size| *size >= rest.len()).unwrap_or(LOOK_UPS[LOOK_UPS.len() - 1]);
        let (now, later) = rest.split_at(rest.len().min(size));
        let mut params: Vec<Value> = now.iter().flatten().cloned().collect();
        let missing = size - now.len();
        params.extend(std::iter::repeat_n(last, missing).flatten().cloned());
        let sql = wanted(&columns, size, select);
        out.extend(tx.query(&sql, &params, &mut map)?);
        rest = later;
    }
    Ok(out)
}

/// `WITH wanted (a, b) AS (SELECT DISTINCT … FROM (VALUES …))` and the statement. DISTINCT undoes the filling up.
fn wanted(columns: &[&str], rows: usize, select: &str) -> String {
    let mut sql = format!("WITH given ({}) AS (VALUES ", columns.join(", "));
    for row in 0..rows {
        let places: Vec<String> = (0..columns.len()).map(|column| cast(columns[column], row * columns.len() + column + 1)).collect();
        let separator = if row == 0 { "" } else { ", " };
        let _ = write!(sql, "{separator}({})", places.join(", "));
    }
    let _ = write!(sql, "), wanted AS (SELECT DISTINCT * FROM given) {select}");
    sql
}

/// Column `c` is a number, the others are text; PostgreSQL wants to be told.
fn cast(column: &str, parameter: usize) -> String {
    let kind = if column == "c" { "BIGINT" } else { "TEXT" };
    format!("CAST(?{parameter} AS {kind})")
}

/// Inserts events with what was planned for them, each in its tenant's group.
pub(crate) fn insert_events(
    tx: &mut Tx<'_>,
    events: &[Arc<Event>],
    planned: &[Planned],
    warnings: &[&[FieldError]],
    groups: &BTreeMap<TenantId, i64>,
) -> Result<()> {
    const COLUMNS: usize = 15;
    let mut values: Vec<Value> = Vec::with_capacity(events.len() * COLUMNS);
    for ((event, planned), warnings) in events.iter().zip(planned).zip(warnings) {
        values.extend([
            event.tenant.into(),
            event.created_at.into(),
            (&event.id).into(),
            (&event.event_type).into(),
            event.occurred_at.into(),
            event.client.into(),
            if event.channels.is_empty() { Value::Null } else { json(&event.channels)? },
            event.ordering_key.as_deref().into(),
            event.deliver_at.into(),
            event.data.to_vec().into(),
            planned.deliveries.into(),
            if planned.filtered.is_empty() { Value::Null } else { json(&planned.filtered)? },
            groups.get(&event.tenant).copied().into(),
            event.schema_version.into(),
            if warnings.is_empty() { Value::Null } else { json(warnings)? },
        ]);
    }
    let into = "INSERT INTO events (tenant_id, created_at, id, event_type, occurred_at, client_id, channels, ordering_key, deliver_at, data, \
                deliveries, filtered, seq, schema_version, warnings) VALUES";
    tx.insert_rows(into, COLUMNS, &values, "").map(|_| ())
}

pub(crate) fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(Error::internal)
}

/// Reads [`EVENT_COLUMNS`].
pub(crate) fn read_event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        tenant: row.get(0)?,
        id: row.get(1)?,
        event_type: row.get(2)?,
        occurred_at: row.get(3)?,
        created_at: row.get(4)?,
        data: Bytes::from(row.get::<Vec<u8>>(5)?),
        client: row.get(6)?,
        channels: list(row, 7)?,
        ordering_key: row.get(8)?,
        deliver_at: row.get(9)?,
        schema_version: row.get(10)?,
    })
}

/// A JSON array of text, or nothing.
pub(crate) fn list<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Vec<T>> {
    row.get::<Option<String>>(column)?.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(Error::internal))
}

/// The destinations that filtered an event.
pub(crate) fn read_filtered(row: &Row<'_>, column: usize) -> Result<Vec<DestinationId>> {
    list(row, column)
}

/// In what ways an event breaks its schema.
pub(crate) fn read_faults(row: &Row<'_>, column: usize) -> Result<Vec<FieldError>> {
    list(row, column)
}
