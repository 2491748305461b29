//! Reading on from a place: what poll and stream share.

use kernel::{EventId, Result, TenantId};
use store::{Dialect, Tx, Value};

use crate::groups::table;
use crate::interest::Interest;
use crate::position::{Position, Within};
use crate::sql;
use crate::view::{self, EventView};

/// Entries that one look at the groups takes, and the sizes of the statements that read their events.
const ENTRIES: [usize; 4] = [1, 8, 32, 256];
/// Events that one statement reads.
const ROWS: usize = 64;
/// Events that one look passes over for a reader who wants only some.
const PASSED: i64 = 2000;
/// Looks in one transaction.
const LOOKS: usize = 16;
/// What one answer holds in memory, in bytes of payload; the last event may go beyond.
const BYTES: usize = 4 * 1024 * 1024;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Each with the place after it.
    pub(crate) events: Vec<(Position, EventView)>,
    /// Where to go on: after the last one, or further where what follows is of no interest.
    pub(crate) next: Position,
    /// Whether more is there already.
    pub(crate) more: bool,
    /// Whether something is committed that cannot be shown yet, since an older transaction still runs.
    pub(crate) held: bool,
}

/// A group, or one event that a group announces again.
#[derive(Debug)]
struct Entry {
    seq: i64,
    event_id: String,
    first_at: i64,
    last_at: i64,
    events: i64,
    held: bool,
}

const GROUPS: Dialect = Dialect {
    sqlite: "SELECT seq, event_id, first_at, last_at, events, 0 FROM event_groups \
             WHERE tenant_id = ?1 AND seq >= ?2 AND (seq > ?2 OR event_id >= ?3) ORDER BY seq, event_id LIMIT ?4",
    postgres: "SELECT seq, event_id, first_at, last_at, events, CAST(CASE WHEN seq < (SELECT \
               CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) + value FROM event_clock) THEN 0 ELSE 1 END AS BIGINT) \
               FROM event_groups WHERE tenant_id = ?1 AND seq >= ?2 AND (seq > ?2 OR event_id >= ?3) ORDER BY seq, event_id LIMIT ?4",
};

const LATEST: Dialect = Dialect {
    sqlite: "SELECT COALESCE(MAX(seq) + 1, 0) FROM event_groups WHERE tenant_id = ?1",
    postgres: "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT) + value FROM event_clock WHERE CAST(?1 AS TEXT) <> ''",
};

/// The place after everything that has been committed.
pub(crate) fn latest(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Position> {
    tx.query_one(LATEST, &[tenant.into()], |row| row.get(0)).map(Position::before)
}

/// The number of a tenant's last group: it changes when something was committed.
pub(crate) fn last_group(tx: &mut Tx<'_>, tenant: TenantId) -> Result<i64> {
    let last =
        tx.query_opt("SELECT seq FROM event_groups WHERE tenant_id = ?1 ORDER BY seq DESC LIMIT 1", &[tenant.into()], |row| row.get(0))?;
    Ok(last.unwrap_or(0))
}

/// The next events after `from`, at most `limit`.
pub(crate) fn read(tx: &mut Tx<'_>, tenant: TenantId, from: &Position, interest: &Interest, limit: usize) -> Result<Found> {
    let mut found = Found { events: Vec::new(), next: from.clone(), more: true, held: false };
    let mut bytes = 0;
    for _ in 0..LOOKS {
        let room = limit - found.events.len();
        if room == 0 || bytes >= BYTES {
            return Ok(found);
        }
        let look = entries(tx, tenant, &found.next, interest, room)?;
        found.held = look.held;
        if look.entries.is_empty() {
            found.more = false;
            return Ok(found);
        }
        let rows = events(tx, tenant, &found.next, interest, &look.entries, room.min(ROWS))?;
        let whole = rows.len() < room.min(ROWS);
        bytes += rows.iter().map(|(_, event)| event.data.get().len()).sum::<usize>();
        found.next = match rows.last() {
            Some((place, _)) if !whole => place.clone(),
            // What was looked at is read to its end.
            _ => after(look.entries.last(), &found.next),
        };
        found.events.extend(rows);
        if whole && look.is_all {
            found.more = false;
            return Ok(found);
        }
    }
    Ok(found)
}

/// The place after an entry.
fn after(entry: Option<&Entry>, before: &Position) -> Position {
    let Some(entry) = entry else { return before.clone() };
    // An entry's id is an event's, or nothing.
    let within = entry.event_id.parse::<EventId>().map_or(Within::Own, Within::Again);
    Position { seq: entry.seq, within }
}

/// What one look at the groups found.
struct Look {
    entries: Vec<Entry>,
    /// Whether nothing follows that may be shown.
    is_all: bool,
    held: bool,
}

/// The entries that hold the next `room` events, or more where some will be passed over.
fn entries(tx: &mut Tx<'_>, tenant: TenantId, from: &Position, interest: &Interest, room: usize) -> Result<Look> {
    let most = ENTRIES[ENTRIES.len() - 1];
    let params = [tenant.into(), from.seq.into(), from.least_entry().into(), Value::from(most as u64)];
    let rows = tx.query(GROUPS, &params, |row| {
        let (events, held) = (row.get(4)?, row.get::<i64>(5)? != 0);
        Ok(Entry { seq: row.get(0)?, event_id: row.get(1)?, first_at: row.get(2)?, last_at: row.get(3)?, events, held })
    })?;
    let is_cut = rows.len() == most;
    let held = rows.iter().any(|row| row.held);
    let mut merged: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| !row.held) {
        match merged.last_mut().filter(|last| (last.seq, &last.event_id) == (row.seq, &row.event_id)) {
            // A transaction over midnight.
            Some(last) => {
                (last.first_at, last.last_at) = (last.first_at.min(row.first_at), last.last_at.max(row.last_at));
                last.events += row.events;
            }
            None => merged.push(row),
        }
    }
    if is_cut && merged.len() > 1 {
        merged.pop();
    }
    let enough = if interest.is_narrow() { PASSED } else { i64::try_from(room).unwrap_or(PASSED) };
    let (mut sum, mut taken) = (0, 0);
    while taken < merged.len() && sum < enough {
        sum += merged[taken].events;
        taken += 1;
    }
    let is_all = taken == merged.len() && !is_cut;
    merged.truncate(taken);
    Ok(Look { entries: merged, is_all, held })
}

/// The events of these entries after `from`, in order, at most `most`.
fn events(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    from: &Position,
    interest: &Interest,
    entries: &[Entry],
    most: usize,
) -> Result<Vec<(Position, EventView)>> {
    let size = ENTRIES.into_iter().find(|size| *size >= entries.len()).unwrap_or(ENTRIES[ENTRIES.len() - 1]);
    let (at, id) = match &from.within {
        Within::Event(at, id) => (at.millis(), id.to_string()),
        _ => (i64::MIN, String::new()),
    };
    let mut params: Vec<Value> = vec![tenant.into(), from.seq.into(), at.into(), id.into(), Value::from(most as u64)];
    // The last one fills the statement up; DISTINCT undoes that.
    for entry in entries.iter().chain(std::iter::repeat_n(&entries[entries.len() - 1], size - entries.len())) {
        params.extend([entry.seq.into(), entry.event_id.as_str().into(), entry.first_at.into(), entry.last_at.into()]);
    }
    let columns = [("seq", "BIGINT"), ("event_id", "TEXT"), ("first_at", "BIGINT"), ("last_at", "BIGINT")];
    let wanted = table("given", &columns, size, 5);
    let conditions = interest.conditions(&mut params);
    let statement = format!(
        "WITH {wanted}, w AS (SELECT DISTINCT * FROM given) SELECT {}, w.seq, w.event_id FROM w CROSS JOIN events e \
         WHERE e.tenant_id = ?1 AND e.created_at >= w.first_at AND e.created_at <= w.last_at \
         AND CASE WHEN w.event_id = '' THEN e.seq = w.seq ELSE e.id = w.event_id END \
         AND (w.seq > ?2 OR w.event_id <> '' OR e.created_at > ?3 OR (e.created_at = ?3 AND e.id > ?4)){conditions} \
         ORDER BY w.seq, w.event_id, e.created_at, e.id LIMIT ?5",
        sql::view_columns()
    );
    tx.query(&statement, &params, |row| {
        let event = view::read(row)?;
        let within = match row.get::<String>(sql::VIEW_COLUMNS + 1)?.parse::<EventId>() {
            Ok(again) => Within::Again(again),
            Err(_) => Within::Event(event.created_at, event.id.clone()),
        };
        Ok((Position { seq: row.get(sql::VIEW_COLUMNS)?, within }, event))
    })
}
