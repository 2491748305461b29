//! Every statement on `integration_calls` and `integration_hours`.

use std::collections::BTreeMap;

use kernel::{IntegrationId, Result, TenantId, Timestamp};
use store::{Tx, Value};

use super::Entry;
use crate::integrations::CallEntry;

/// Calls that are kept per integration.
pub(crate) const KEPT: u64 = 1000;
const HOUR_MS: i64 = 3_600_000;
/// How long counts are kept.
const KEPT_HOURS: i64 = 30 * 24;

#[derive(Default)]
struct Counts {
    calls: u64,
    failures: u64,
    limited: u64,
    success: Option<Timestamp>,
    failure: Option<Timestamp>,
}

/// Writes a group: the calls, what is counted, and what is too much goes.
pub(super) fn write(tx: &mut Tx<'_>, entries: &[(String, Entry)]) -> Result<()> {
    let mut rows: Vec<Value> = Vec::with_capacity(entries.len() * 11);
    let mut hours: BTreeMap<(TenantId, IntegrationId, i64), Counts> = BTreeMap::new();
    for (id, entry) in entries {
        rows.extend::<[Value; 11]>([
            entry.tenant.into(),
            entry.integration.into(),
            id.into(),
            entry.at.into(),
            entry.method.as_str().into(),
            entry.endpoint.as_str().into(),
            entry.status.into(),
            entry.ms.into(),
            entry.is_success().into(),
            entry.error.clone().into(),
            entry.actor.as_str().into(),
        ]);
        let counts = hours.entry((entry.tenant, entry.integration, entry.at.millis() / HOUR_MS)).or_default();
        counts.calls += 1;
        if entry.is_success() {
            counts.success = counts.success.max(Some(entry.at));
        } else {
            counts.failures += 1;
            counts.failure = counts.failure.max(Some(entry.at));
        }
        counts.limited += u64::from(entry.status == Some(429));
    }
    tx.insert_rows(
        "INSERT INTO integration_calls (tenant_id, integration_id, id, at, method, endpoint, status, ms, success, error, actor) VALUES",
        11,
        &rows,
        "",
    )?;
    for ((tenant, integration, hour), counts) in &hours {
        add(tx, *tenant, *integration, *hour, counts)?;
        trim(tx, *tenant, *integration)?;
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, hour: i64, counts: &Counts) -> Result<()> {
    tx.exec(
        "INSERT INTO integration_hours (tenant_id, integration_id, hour, calls, failures, limited, last_success_at, last_failure_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant_id, integration_id, hour) DO UPDATE SET \
         calls = integration_hours.calls + excluded.calls, failures = integration_hours.failures + excluded.failures, \
         limited = integration_hours.limited + excluded.limited, \
         last_success_at = COALESCE(excluded.last_success_at, integration_hours.last_success_at), \
         last_failure_at = COALESCE(excluded.last_failure_at, integration_hours.last_failure_at)",
        &[
            tenant.into(),
            integration.into(),
            hour.into(),
            counts.calls.into(),
            counts.failures.into(),
            counts.limited.into(),
            counts.success.into(),
            counts.failure.into(),
        ],
    )?;
    tx.exec(
        "DELETE FROM integration_hours WHERE tenant_id = ?1 AND integration_id = ?2 AND hour < ?3",
        &[tenant.into(), integration.into(), (hour - KEPT_HOURS).into()],
    )
    .map(drop)
}

fn trim(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
    tx.exec(
        "DELETE FROM integration_calls WHERE tenant_id = ?1 AND integration_id = ?2 AND id <= (SELECT id FROM integration_calls \
         WHERE tenant_id = ?1 AND integration_id = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
        &[tenant.into(), integration.into(), KEPT.into()],
    )
    .map(drop)
}

/// The newest first, after `before`; only good or only bad ones, if that is asked for.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    integration: IntegrationId,
    success: Option<bool>,
    before: &str,
    limit: u32,
) -> Result<Vec<CallEntry>> {
    tx.query(
        "SELECT id, at, method, endpoint, status, ms, success, error, actor FROM integration_calls \
         WHERE tenant_id = ?1 AND integration_id = ?2 AND id < ?3 AND (CAST(?5 AS BIGINT) IS NULL OR success = ?5) ORDER BY id DESC LIMIT ?4",
        &[tenant.into(), integration.into(), before.into(), limit.into(), success.into()],
        |row| {
            Ok(CallEntry {
                id: row.get(0)?,
                time: row.get(1)?,
                method: row.get(2)?,
                endpoint: row.get(3)?,
                status: row.get(4)?,
                duration_ms: row.get(5)?,
                success: row.get(6)?,
                error: row.get(7)?,
                actor: row.get(8)?,
            })
        },
    )
}

/// Durations of the calls that are kept, since then, in ms, the shortest first.
pub(crate) fn durations(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, since: Timestamp) -> Result<Vec<u64>> {
    let sql =
        "SELECT ms FROM integration_calls WHERE tenant_id = ?1 AND integration_id = ?2 AND at >= ?3 AND status IS NOT NULL ORDER BY ms";
    tx.query(sql, &[tenant.into(), integration.into(), since.into()], |row| row.get(0))
}

/// What was counted since an hour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) limited: u64,
}

pub(crate) fn sums(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, since: Timestamp) -> Result<Sums> {
    tx.query_one(
        "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT), CAST(COALESCE(SUM(failures), 0) AS BIGINT), \
         CAST(COALESCE(SUM(limited), 0) AS BIGINT) FROM integration_hours WHERE tenant_id = ?1 AND integration_id = ?2 AND hour >= ?3",
        &[tenant.into(), integration.into(), (since.millis() / HOUR_MS).into()],
        |row| Ok(Sums { calls: row.get(0)?, failures: row.get(1)?, limited: row.get(2)? }),
    )
}

/// When a call last went well, and when it last failed, as far back as counts are kept.
pub(crate) fn last(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    tx.query_one(
        "SELECT MAX(last_success_at), MAX(last_failure_at) FROM integration_hours WHERE tenant_id = ?1 AND integration_id = ?2",
        &[tenant.into(), integration.into()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
