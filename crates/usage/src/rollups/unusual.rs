//! Tenants whose calls are many more, or many fewer, than on other days.

use kernel::{Result, TenantId, Timestamp};
use store::{Tx, Value};

use super::HOUR_MS;
use crate::days::DAY_MS;

/// Days that are compared with.
const DAYS: i64 = 7;

/// A tenant's calls in this hour and in the one before, and in the same hours of the past seven days together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whose.
    pub tenant: TenantId,
    /// In the hour that is running.
    pub now: u64,
    /// In the same hours of the past seven days.
    pub past_now: u64,
    /// In the hour before it.
    pub last: u64,
    /// In the same hours of the past seven days.
    pub past_last: u64,
}

/// The tenants that may have had `factor` times more calls than on average of the past seven days, or as many times fewer: those that have not
/// are left out, and so are those with less than `least` calls; of the others the caller, who knows how many days a tenant has, is the judge. Those
/// with most calls first. In time that grows with the tenants that had calls in these hours. To be run on `store.logs()`, by the system.
pub fn unusual(tx: &mut Tx<'_>, at: Timestamp, factor: f64, least: u64, limit: u32) -> Result<Vec<Hours>> {
    let now = at.millis().div_euclid(HOUR_MS) * HOUR_MS;
    let last = now - HOUR_MS;
    let past = |hour: i64| (1..=DAYS).map(move |day| hour - day * DAY_MS);
    let mut params: Vec<Value> = vec![now.into(), last.into(), factor.into(), limit.into(), least.max(1).into()];
    params.extend(past(now).chain(past(last)).map(Value::from));
    let places = |from: usize| (from..from + DAYS.unsigned_abs() as usize).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
    let (past_now, past_last) = (places(6), places(13));
    let sum = |hours: &str| format!("CAST(COALESCE(SUM(CASE WHEN at IN ({hours}) THEN requests END), 0) AS BIGINT)");
    let sql = format!(
        "SELECT tenant_id, calls, past_calls, last, past_last FROM (SELECT tenant_id, {} AS calls, {} AS past_calls, {} AS last, {} AS past_last \
         FROM usage_hours WHERE at IN (?1, ?2, {past_now}, {past_last}) AND subject = '' AND kind = 't' AND tenant_id <> '' GROUP BY tenant_id) h \
         WHERE (calls >= ?5 AND calls * 7 >= past_calls * CAST(?3 AS DOUBLE PRECISION)) \
         OR (last >= ?5 AND last * 7 >= past_last * CAST(?3 AS DOUBLE PRECISION)) \
         OR (past_last >= ?5 * 3 AND past_last >= last * 3 * CAST(?3 AS DOUBLE PRECISION)) ORDER BY calls + last + past_last DESC, tenant_id LIMIT ?4",
        sum("?1"),
        sum(&past_now),
        sum("?2"),
        sum(&past_last),
    );
    tx.query(&sql, &params, |row| {
        Ok(Hours { tenant: row.get(0)?, now: row.get(1)?, past_now: row.get(2)?, last: row.get(3)?, past_last: row.get(4)? })
    })
}
