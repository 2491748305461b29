//! Logging attempts and counting those that the log did not have yet, in one transaction.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use kernel::histogram::BUCKETS;
use kernel::{DestinationId, Error, NodeId, Result, TenantId};
use store::{Tx, Value};

use super::{HOUR_MS, Histogram};
use crate::engine::{Logged, insert_attempts};

/// The code of the error that says: some of these are in the log, some are not; log them one by one.
pub(crate) const OVERLAP: &str = "log_overlap";

/// Columns of a row.
const COLUMNS: usize = 10 + BUCKETS;

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::from(
        "INSERT INTO attempt_rollups (tenant_id, destination_id, hour, node, attempts, succeeded, duration_ms, slowest_ms, last_success_at, last_failure_at",
    );
    for bucket in 0..BUCKETS {
        // Writing to a String cannot fail.
        let _ = write!(sql, ", h{bucket:02}");
    }
    sql.push_str(") VALUES");
    sql
});

static ADD_UP: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::from("ON CONFLICT (tenant_id, destination_id, hour, node) DO UPDATE SET ");
    for column in ["attempts", "succeeded", "duration_ms"] {
        let _ = write!(sql, "{column} = attempt_rollups.{column} + excluded.{column}, ");
    }
    for column in ["slowest_ms", "last_success_at", "last_failure_at"] {
        let _ = write!(
            sql,
            "{column} = CASE WHEN excluded.{column} > attempt_rollups.{column} THEN excluded.{column} ELSE attempt_rollups.{column} END, "
        );
    }
    for bucket in 0..BUCKETS {
        let separator = if bucket == 0 { "" } else { ", " };
        let _ = write!(sql, "{separator}h{bucket:02} = attempt_rollups.h{bucket:02} + excluded.h{bucket:02}");
    }
    sql
});

#[derive(Default)]
struct Count {
    attempts: u64,
    succeeded: u64,
    duration_ms: u64,
    last_success_at: i64,
    last_failure_at: i64,
    histogram: Histogram,
}

/// Writes attempts to the log and counts them, but for skipped ones. Usually all are new, or none is (a write that was repeated, since its answer was lost); a mixture
/// is refused with [`OVERLAP`] unless they come `one_by_one`.
pub(crate) fn log(tx: &mut Tx<'_>, node: NodeId, attempts: &[Logged], one_by_one: bool) -> Result<()> {
    if one_by_one {
        let mut new = Vec::new();
        for attempt in attempts {
            if insert_attempts(tx, std::slice::from_ref(attempt))? > 0 {
                new.push(attempt);
            }
        }
        return add(tx, node, new.into_iter());
    }
    match insert_attempts(tx, attempts)? {
        0 => Ok(()),
        all if all == attempts.len() as u64 => add(tx, node, attempts.iter()),
        _ => Err(Error::conflict(OVERLAP, "Some of these attempts are logged already.")),
    }
}

fn add<'a>(tx: &mut Tx<'_>, node: NodeId, attempts: impl Iterator<Item = &'a Logged>) -> Result<()> {
    let mut counts: BTreeMap<(TenantId, DestinationId, i64), Count> = BTreeMap::new();
    for attempt in attempts.filter(|attempt| !attempt.is_skipped) {
        let hour = attempt.started_at.div_euclid(HOUR_MS) * HOUR_MS;
        let count = counts.entry((attempt.tenant, attempt.destination, hour)).or_default();
        let ended_at = attempt.started_at.saturating_add(i64::try_from(attempt.duration_ms).unwrap_or(0));
        count.attempts += 1;
        count.duration_ms += attempt.duration_ms;
        count.histogram.add(attempt.duration_ms);
        let arrived = attempt.error_kind.is_none() && attempt.status_code.is_none_or(|code| code < 400);
        let last = if arrived { &mut count.last_success_at } else { &mut count.last_failure_at };
        *last = ended_at.max(*last);
        count.succeeded += u64::from(arrived);
    }
    let mut values: Vec<Value> = Vec::with_capacity(counts.len() * COLUMNS);
    for ((tenant, destination, hour), count) in counts {
        values.extend([tenant.into(), destination.into(), hour.into(), node.into(), count.attempts.into(), count.succeeded.into()]);
        values.extend([count.duration_ms.into(), count.histogram.slowest.into()]);
        values.extend([count.last_success_at.into(), count.last_failure_at.into()]);
        values.extend(count.histogram.counts.map(Value::from));
    }
    tx.insert_rows(&INSERT, COLUMNS, &values, &ADD_UP).map(drop)
}
