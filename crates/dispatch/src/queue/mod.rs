//! Pending deliveries as rows, and the statements that move them: into the queue, back into it after a failure, out of it at the end.
//!
//! All of them take many rows at once. Texts are the same on both engines; `owner || ''` keeps planners away from the index on `owner`,
//! since each row is known by its primary key.

pub(crate) mod slips;

use std::fmt::Write as _;

use std::collections::HashSet;

use kernel::id::TypedId as _;
use kernel::{ClientId, DeliveryId, DestinationId, EventId, EventType, Result, TenantId, Timestamp};
use store::{Node, Row, Tx, Value};

/// Rows per statement: few sizes, so that few statements are prepared.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// A pending delivery.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) tenant: TenantId,
    pub(crate) id: DeliveryId,
    pub(crate) destination: DestinationId,
    pub(crate) client: ClientId,
    pub(crate) event_id: EventId,
    pub(crate) event_type: EventType,
    pub(crate) event_created_at: Timestamp,
    pub(crate) ordering_key: Option<String>,
    /// JSON array.
    pub(crate) channels: Option<String>,
    pub(crate) seq: i64,
    pub(crate) deliver_at: Option<Timestamp>,
    pub(crate) due_at: Timestamp,
    pub(crate) attempt_count: u32,
    /// Attempts before the present run through the schedule.
    pub(crate) first_count: u32,
    /// When the present run began.
    pub(crate) first_at: Timestamp,
    pub(crate) last_status_code: Option<u16>,
    pub(crate) last_error: Option<String>,
    pub(crate) created_at: Timestamp,
}

pub(crate) const COLUMNS: &str = "tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, ordering_key, channels, seq, \
                                  deliver_at, due_at, attempt_count, first_count, first_at, last_status_code, last_error, created_at";
const INSERT: &str = "INSERT INTO queue (tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, ordering_key, channels, \
                      seq, deliver_at, due_at, attempt_count, first_count, first_at, last_status_code, last_error, created_at, owner, epoch) VALUES";
const INSERT_FINISHED: &str = "INSERT INTO deliveries (tenant_id, id, destination_id, client_id, event_id, event_type, event_created_at, ordering_key, \
                               channels, seq, deliver_at, due_at, attempt_count, last_status_code, last_error, created_at, status, reason, finished_at, \
                               response_body) VALUES";

/// Reads [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> Result<Pending> {
    Ok(Pending {
        tenant: row.get(0)?,
        id: row.get(1)?,
        destination: row.get(2)?,
        client: row.get(3)?,
        event_id: row.get(4)?,
        event_type: row.get(5)?,
        event_created_at: row.get(6)?,
        ordering_key: row.get(7)?,
        channels: row.get(8)?,
        seq: row.get(9)?,
        deliver_at: row.get(10)?,
        due_at: row.get(11)?,
        attempt_count: row.get(12)?,
        first_count: row.get(13)?,
        first_at: row.get(14)?,
        last_status_code: row.get(15)?,
        last_error: row.get(16)?,
        created_at: row.get(17)?,
    })
}

/// When an id was made: the time in its UUIDv7. It is the delivery's `created_at`, so an id alone finds its partition.
pub(crate) fn made_at(id: DeliveryId) -> Timestamp {
    Timestamp::from_millis(i64::try_from(id.uuid().as_u128() >> 80).unwrap_or(i64::MAX))
}

/// The columns with which a pending and a finished delivery begin.
fn shared(row: &Pending) -> [Value; 12] {
    [
        row.tenant.into(),
        row.id.into(),
        row.destination.into(),
        row.client.into(),
        Value::from(&row.event_id),
        Value::from(&row.event_type),
        row.event_created_at.into(),
        row.ordering_key.clone().into(),
        row.channels.clone().into(),
        row.seq.into(),
        row.deliver_at.into(),
        row.due_at.into(),
    ]
}

/// Inserts rows, each with who owns it.
pub(crate) fn insert(tx: &mut Tx<'_>, rows: &[(Pending, Node)]) -> Result<()> {
    let mut values = Vec::with_capacity(rows.len() * 20);
    for (row, node) in rows {
        values.extend(shared(row));
        values.extend([
            row.attempt_count.into(),
            row.first_count.into(),
            row.first_at.into(),
            row.last_status_code.into(),
            row.last_error.clone().into(),
            row.created_at.into(),
            node.id.into(),
            node.epoch.into(),
        ]);
    }
    tx.insert_rows(INSERT, 20, &values, "").map(drop)
}

/// How a delivery ended.
#[derive(Clone, Debug)]
pub(crate) struct Finish<'a> {
    pub(crate) row: &'a Pending,
    /// The slip that it stands on, unless that was taken apart; otherwise it is in the queue.
    pub(crate) slip: Option<i64>,
    pub(crate) attempt_count: u32,
    pub(crate) status: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) status_code: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) response_body: Option<String>,
}

impl<'a> Finish<'a> {
    /// An end without another attempt.
    pub(crate) fn unattempted(row: &'a Pending, status: &'static str, reason: &'static str) -> Self {
        let (attempt_count, status_code, error) = (row.attempt_count, row.last_status_code, row.last_error.clone());
        Self { row, slip: None, attempt_count, status, reason, status_code, error, response_body: None }
    }
}

/// Moves rows out of the queue, or off their slips, into the finished ones, as far as `node` still owns them; answers which it did. `slips`:
/// those that are there.
pub(crate) fn finish(tx: &mut Tx<'_>, node: Node, slips: &HashSet<i64>, ends: &[Finish<'_>]) -> Result<HashSet<DeliveryId>> {
    let is_on_slip = |end: &&Finish<'_>| end.slip.is_some_and(|slip| slips.contains(&slip));
    let mut owned = remove(tx, node, ends.iter().filter(|end| !is_on_slip(end)).map(|end| end.row))?;
    owned.extend(ends.iter().filter(is_on_slip).map(|end| end.row.id));
    let now = tx.now();
    insert_finished(tx, ends.iter().filter(|end| owned.contains(&end.row.id)), now)?;
    Ok(owned)
}

/// Inserts finished deliveries.
pub(crate) fn insert_finished<'a>(tx: &mut Tx<'_>, ends: impl Iterator<Item = &'a Finish<'a>>, now: Timestamp) -> Result<()> {
    let mut values = Vec::new();
    for end in ends {
        let row = end.row;
        values.extend(shared(row));
        values.extend([
            end.attempt_count.into(),
            end.status_code.into(),
            end.error.clone().into(),
            row.created_at.into(),
            end.status.into(),
            end.reason.into(),
            now.into(),
            end.response_body.clone().into(),
        ]);
    }
    tx.insert_rows(INSERT_FINISHED, 20, &values, "").map(drop)
}

/// Deletes rows that `node` still owns; answers which.
pub(crate) fn remove<'a>(tx: &mut Tx<'_>, node: Node, rows: impl Iterator<Item = &'a Pending>) -> Result<HashSet<DeliveryId>> {
    let keys: Vec<(TenantId, DeliveryId)> = rows.map(|row| (row.tenant, row.id)).collect();
    let mut removed = HashSet::with_capacity(keys.len());
    for chunk in chunks(&keys) {
        let mut values: Vec<Value> = vec![node.id.into(), node.epoch.into()];
        values.extend(chunk.iter().flat_map(|(tenant, id)| [(*tenant).into(), (*id).into()]));
        let mut sql = String::from("DELETE FROM queue WHERE (tenant_id, id) IN (VALUES ");
        tuples(&mut sql, chunk.len(), 2, 2, |_| "");
        sql.push_str(") AND owner || '' = ?1 AND epoch = ?2 RETURNING id");
        removed.extend(tx.query(&sql, &values, |row| row.get::<DeliveryId>(0))?);
    }
    Ok(removed)
}

/// A failed attempt that will be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Again<'a> {
    pub(crate) row: &'a Pending,
    /// As in [`Finish::slip`].
    pub(crate) slip: Option<i64>,
    pub(crate) due_at: Timestamp,
    pub(crate) attempt_count: u32,
    pub(crate) status_code: Option<u16>,
    pub(crate) error: Option<String>,
}

impl Again<'_> {
    /// The row after the attempt.
    fn after(&self) -> Pending {
        Pending {
            due_at: self.due_at,
            attempt_count: self.attempt_count,
            last_status_code: self.status_code,
            last_error: self.error.clone(),
            ..self.row.clone()
        }
    }
}

/// Puts rows off, as far as `node` still owns them; those on one of `slips` come into the queue. Answers which it did.
pub(crate) fn put_off(tx: &mut Tx<'_>, node: Node, slips: &HashSet<i64>, rows: &[Again<'_>]) -> Result<HashSet<DeliveryId>> {
    let (on_slip, queued): (Vec<&Again<'_>>, Vec<&Again<'_>>) =
        rows.iter().partition(|again| again.slip.is_some_and(|slip| slips.contains(&slip)));
    let new: Vec<(Pending, Node)> = on_slip.iter().map(|again| (again.after(), node)).collect();
    insert(tx, &new)?;
    let mut done = put_off_queued(tx, node, &queued)?;
    done.extend(on_slip.iter().map(|again| again.row.id));
    Ok(done)
}

fn put_off_queued(tx: &mut Tx<'_>, node: Node, rows: &[&Again<'_>]) -> Result<HashSet<DeliveryId>> {
    let mut done = HashSet::with_capacity(rows.len());
    for chunk in chunks(rows) {
        let mut values: Vec<Value> = vec![node.id.into(), node.epoch.into()];
        for again in chunk {
            values.extend([
                again.row.tenant.into(),
                again.row.id.into(),
                again.due_at.into(),
                again.attempt_count.into(),
                again.status_code.into(),
                again.error.clone().into(),
            ]);
        }
        let mut sql = String::from("WITH v (tenant_id, id, due_at, attempts, code, error) AS (VALUES ");
        tuples(&mut sql, chunk.len(), 6, 2, |column| if (2..5).contains(&column) { "BIGINT" } else { "TEXT" });
        sql.push_str(
            ") UPDATE queue SET due_at = v.due_at, attempt_count = v.attempts, last_status_code = v.code, last_error = v.error FROM v \
             WHERE queue.tenant_id = v.tenant_id AND queue.id = v.id AND queue.owner || '' = ?1 AND queue.epoch = ?2 RETURNING queue.id",
        );
        done.extend(tx.query(&sql, &values, |row| row.get::<DeliveryId>(0))?);
    }
    Ok(done)
}

/// Puts rows that nobody has attempted off until what holds them up is due, as far as `node` still owns them.
pub(crate) fn defer(tx: &mut Tx<'_>, node: Node, rows: &[(TenantId, DeliveryId, Timestamp)]) -> Result<()> {
    for (tenant, id, until) in rows {
        let params = [(*tenant).into(), (*id).into(), (*until).into(), node.id.into(), node.epoch.into()];
        tx.exec("UPDATE queue SET due_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND owner || '' = ?4 AND epoch = ?5", &params)?;
    }
    Ok(())
}

/// What waits for this delivery's retry, for the sake of order, need not any more: it is to be ended or tried at once. To be called before.
pub(crate) fn let_go_behind(tx: &mut Tx<'_>, tenant: TenantId, id: DeliveryId) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "UPDATE queue SET due_at = ?3 FROM (SELECT destination_id AS destination, ordering_key AS key, due_at AS until FROM queue \
         WHERE tenant_id = ?1 AND id = ?2 AND attempt_count > 0 AND ordering_key IS NOT NULL) AS before \
         WHERE queue.tenant_id = ?1 AND queue.destination_id = before.destination AND queue.ordering_key = before.key \
         AND queue.attempt_count = 0 AND queue.due_at = before.until",
        &[tenant.into(), id.into(), now.into()],
    )?;
    Ok(())
}

/// `rows` in pieces of the sizes in [`CHUNKS`].
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rest.len())?;
        let (chunk, more) = rest.split_at(size);
        rest = more;
        Some(chunk)
    })
}

/// `(?3, ?4), (?5, ?6)` after `skip` parameters, cast to what `cast` says for the column.
fn tuples(sql: &mut String, rows: usize, columns: usize, skip: usize, cast: impl Fn(usize) -> &'static str) {
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let separator = if column == 0 { "" } else { ", " };
            let number = skip + row * columns + column + 1;
            // Writing to a String cannot fail.
            let _ = match cast(column) {
                "" => write!(sql, "{separator}?{number}"),
                name => write!(sql, "{separator}CAST(?{number} AS {name})"),
            };
        }
        sql.push(')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        let ambient = kernel::Ambient::new(
            std::sync::Arc::new(kernel::time::ManualClock::new(Timestamp::from_millis(1_700_000_000_123))),
            std::sync::Arc::new(kernel::chance::SeededEntropy::new(1)),
        );
        assert_eq!(made_at(ambient.id()), Timestamp::from_millis(1_700_000_000_123));
    }

    #[test]
    fn chunks_cover_everything_once() {
        let rows: Vec<usize> = (0..147).collect();
        let sizes: Vec<usize> = chunks(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [64, 64, 8, 8, 1, 1, 1]);
        assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
    }
}
