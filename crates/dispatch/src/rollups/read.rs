//! Reading the counts.

use std::fmt::Write as _;
use std::sync::LazyLock;

use kernel::histogram::BUCKETS;
use kernel::{DestinationId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::{HOUR_MS, Histogram};

/// What the attempts of an hour brought, or of several hours together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Attempts made.
    pub attempts: u64,
    /// Those that the receiver took.
    pub succeeded: u64,
    /// Their durations in all, in milliseconds.
    pub duration_ms: u64,
    /// When the last one arrived.
    pub last_success_at: Option<Timestamp>,
    /// When the last one failed.
    pub last_failure_at: Option<Timestamp>,
    /// How long they took.
    pub durations: Histogram,
}

impl Rollup {
    /// Takes another one in.
    pub fn merge(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.succeeded += other.succeeded;
        self.duration_ms += other.duration_ms;
        self.last_success_at = self.last_success_at.max(other.last_success_at);
        self.last_failure_at = self.last_failure_at.max(other.last_failure_at);
        self.durations.merge(&other.durations);
    }
}

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let mut sql = String::from("SELECT hour, MAX(slowest_ms), MAX(last_success_at), MAX(last_failure_at)");
    let sums =
        ["attempts", "succeeded", "duration_ms"].map(str::to_owned).into_iter().chain((0..BUCKETS).map(|bucket| format!("h{bucket:02}")));
    for column in sums {
        // Writing to a String cannot fail.
        let _ = write!(sql, ", CAST(SUM({column}) AS BIGINT)");
    }
    sql.push_str(" FROM attempt_rollups WHERE tenant_id = ?1 AND hour >= ?2 AND hour < ?3");
    sql
});

/// The hours in which attempts were made, from `from` until before `to` (whole hours), the oldest first; of one destination or of all of the
/// tenant's. To be run on `store.logs()`.
pub fn by_hour(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    destination: Option<DestinationId>,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, Rollup)>> {
    let mut params: Vec<Value> = vec![tenant.into(), from.into(), to.into()];
    params.extend(destination.map(Value::from));
    let one = if destination.is_some() { " AND destination_id = ?4" } else { "" };
    tx.query(&format!("{}{one} GROUP BY hour ORDER BY hour", *SELECT), &params, read)
}

fn read(row: &Row<'_>) -> Result<(Timestamp, Rollup)> {
    let at = |column| row.get::<i64>(column).map(|ms| (ms > 0).then(|| Timestamp::from_millis(ms)));
    let mut durations = Histogram::of([0; BUCKETS], row.get(1)?);
    for (bucket, count) in durations.counts.iter_mut().enumerate() {
        *count = row.get(7 + bucket)?;
    }
    let rollup = Rollup {
        attempts: row.get(4)?,
        succeeded: row.get(5)?,
        duration_ms: row.get(6)?,
        last_success_at: at(2)?,
        last_failure_at: at(3)?,
        durations,
    };
    Ok((row.get(0)?, rollup))
}

/// How many of a destination's attempts arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub tenant: TenantId,
    /// The destination.
    pub destination: DestinationId,
    /// Attempts made.
    pub attempts: u64,
    /// Those that the receiver took.
    pub succeeded: u64,
}

/// Any tenant's destinations of whose attempts, since the beginning of the hour of `since`, less than `percent` arrived, those with most attempts
/// first. In time that grows with the destinations that had attempts since then. To be run on `store.logs()`, by the system.
pub fn below(tx: &mut Tx<'_>, since: Timestamp, percent: u64, limit: u32) -> Result<Vec<Share>> {
    let hour = since.millis().div_euclid(HOUR_MS) * HOUR_MS;
    let sql = "SELECT tenant_id, destination_id, CAST(SUM(attempts) AS BIGINT), CAST(SUM(succeeded) AS BIGINT) FROM attempt_rollups \
               WHERE hour >= ?1 GROUP BY tenant_id, destination_id HAVING SUM(succeeded) * 100 < SUM(attempts) * CAST(?2 AS BIGINT) \
               ORDER BY 3 DESC, 1, 2 LIMIT ?3";
    tx.query(sql, &[hour.into(), percent.into(), limit.into()], |row| {
        Ok(Share { tenant: row.get(0)?, destination: row.get(1)?, attempts: row.get(2)?, succeeded: row.get(3)? })
    })
}
