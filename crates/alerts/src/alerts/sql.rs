//! Every statement on `alerts`.

use kernel::{AlertId, Result, TenantId, Timestamp};
use store::{Row, Tx, Value};

use super::{Alert, AlertFilter};
use crate::Rule;
use crate::rules::sql::text;

const COLUMNS: &str = "id, tenant_id, rule, subject, severity, status, summary, value, worst, threshold, count, opened_at, last_seen_at, \
                       acknowledged_at, acknowledged_by, muted_until, closed_at, closed_reason, closed_by, told_at, told_value, quiet_since";

/// An alert with what is only ours to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) alert: Alert,
    /// When its last event was made.
    pub(crate) told_at: Timestamp,
    /// What that said.
    pub(crate) told_value: f64,
    /// Since when all is well.
    pub(crate) quiet_since: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> Result<Kept> {
    let (tenant, rule) = (row.get::<String>(1)?, Rule::named(&row.get::<String>(2)?)?);
    let alert = Alert {
        id: row.get(0)?,
        tenant_id: if tenant.is_empty() { None } else { Some(tenant.parse()?) },
        rule,
        subject: row.get(3)?,
        severity: row.get::<String>(4)?.parse()?,
        status: row.get::<String>(5)?.parse()?,
        summary: row.get(6)?,
        value: row.get(7)?,
        worst: row.get(8)?,
        threshold: row.get(9)?,
        unit: rule.facts().unit.to_owned(),
        count: row.get(10)?,
        opened_at: row.get(11)?,
        last_seen_at: row.get(12)?,
        acknowledged_at: row.get(13)?,
        acknowledged_by: row.get(14)?,
        muted_until: row.get(15)?,
        closed_at: row.get(16)?,
        closed_reason: row.get(17)?,
        closed_by: row.get(18)?,
    };
    Ok(Kept { alert, told_at: row.get(19)?, told_value: row.get(20)?, quiet_since: row.get(21)? })
}

/// One of a tenant's, or, without a tenant, anybody's.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId) -> Result<Option<Kept>> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR tenant_id = ?2)");
    tx.query_opt(&sql, &[id.into(), tenant.into()], read)
}

/// Newest first.
pub(super) fn list(
    tx: &mut Tx<'_>,
    tenant: Option<TenantId>,
    filter: &AlertFilter,
    before: &str,
    limit: u32,
    offset: u64,
) -> Result<Vec<Alert>> {
    let mut sql = format!("SELECT {COLUMNS} FROM alerts WHERE id < ?1");
    let mut params: Vec<Value> = vec![before.into()];
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            params.push(value);
            sql.push_str(&format!(" AND {column} = ?{}", params.len()));
        }
    };
    and("tenant_id", tenant.map(Value::from));
    and("rule", filter.rule.map(|rule| rule.name().into()));
    and("status", filter.status.map(|status| status.as_str().into()));
    and("severity", filter.severity.map(|severity| severity.as_str().into()));
    params.extend([limit.into(), offset.into()]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ?{} OFFSET ?{}", params.len() - 1, params.len()));
    Ok(tx.query(&sql, &params, read)?.into_iter().map(|kept| kept.alert).collect())
}

/// The alert about a subject whose condition stood at the last look: one that is open, or that somebody resolved meanwhile.
pub(crate) fn standing(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule, subject: &str) -> Result<Option<Kept>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM alerts WHERE tenant_id = ?1 AND rule = ?2 AND subject = ?3 AND standing = 1 ORDER BY id DESC LIMIT 1"
    );
    tx.query_opt(&sql, &[text(tenant).into(), rule.name().into(), subject.into()], read)
}

/// All of those of a rule, after this id in the order of ids.
pub(crate) fn all_standing(tx: &mut Tx<'_>, rule: Rule, after: &str, limit: u32) -> Result<Vec<Kept>> {
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE rule = ?1 AND standing = 1 AND id > ?2 ORDER BY id LIMIT ?3");
    tx.query(&sql, &[rule.name().into(), after.into(), limit.into()], read)
}

/// Until when alerts about this subject are muted, as somebody said of the last one.
pub(crate) fn muted_until(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule, subject: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT muted_until FROM alerts WHERE tenant_id = ?1 AND rule = ?2 AND subject = ?3 ORDER BY id DESC LIMIT 1";
    Ok(tx.query_opt(sql, &[text(tenant).into(), rule.name().into(), subject.into()], |row| row.get(0))?.flatten())
}

/// Opens an alert; false: another server just did.
pub(crate) fn insert(tx: &mut Tx<'_>, alert: &Alert) -> Result<bool> {
    let inserted = tx.exec(
        "INSERT INTO alerts (id, tenant_id, rule, subject, severity, status, summary, value, worst, threshold, count, standing, untold, opened_at, \
         last_seen_at, told_at, told_value, muted_until) VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?7, ?8, 1, 1, 0, ?9, ?9, ?9, ?7, ?10) \
         ON CONFLICT (tenant_id, rule, subject) WHERE closed_at IS NULL DO NOTHING",
        &[
            alert.id.into(),
            text(alert.tenant_id).into(),
            alert.rule.name().into(),
            alert.subject.as_str().into(),
            alert.severity.as_str().into(),
            alert.summary.as_str().into(),
            alert.value.into(),
            alert.threshold.into(),
            alert.opened_at.into(),
            alert.muted_until.into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Writes what a look changed of one that is open; false: somebody closed it meanwhile.
pub(crate) fn update(tx: &mut Tx<'_>, kept: &Kept) -> Result<bool> {
    let alert = &kept.alert;
    let changed = tx.exec(
        "UPDATE alerts SET severity = ?3, summary = ?4, value = ?5, worst = ?6, threshold = ?7, count = ?8, last_seen_at = ?9, told_at = ?10, \
         told_value = ?11, quiet_since = ?12 WHERE id = ?1 AND tenant_id = ?2 AND closed_at IS NULL",
        &[
            alert.id.into(),
            text(alert.tenant_id).into(),
            alert.severity.as_str().into(),
            alert.summary.as_str().into(),
            alert.value.into(),
            alert.worst.into(),
            alert.threshold.into(),
            alert.count.into(),
            alert.last_seen_at.into(),
            kept.told_at.into(),
            kept.told_value.into(),
            kept.quiet_since.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// How an alert ends.
pub(crate) struct End<'a> {
    pub(crate) reason: &'static str,
    pub(crate) by: Option<&'a str>,
    /// Whether its condition stands nevertheless.
    pub(crate) standing: bool,
    /// Whether the operator is to be told later.
    pub(crate) untold: bool,
}

/// Closes one; false: it was closed.
pub(crate) fn close(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId, end: &End<'_>) -> Result<bool> {
    let now = tx.now();
    let changed = tx.exec(
        "UPDATE alerts SET status = 'closed', closed_at = ?3, closed_reason = ?4, closed_by = ?5, standing = ?6, untold = ?7 \
         WHERE id = ?1 AND tenant_id = ?2 AND closed_at IS NULL",
        &[id.into(), text(tenant).into(), now.into(), end.reason.into(), end.by.into(), end.standing.into(), end.untold.into()],
    )?;
    Ok(changed == 1)
}

/// The condition of one that somebody resolved is over.
pub(crate) fn stand_down(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId) -> Result<()> {
    let sql = "UPDATE alerts SET standing = 0 WHERE id = ?1 AND tenant_id = ?2 AND closed_at IS NOT NULL";
    tx.exec(sql, &[id.into(), text(tenant).into()]).map(drop)
}

/// Somebody took it up; false: it is closed, or somebody had.
pub(super) fn acknowledge(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId, by: &str, untold: bool) -> Result<bool> {
    let now = tx.now();
    let changed = tx.exec(
        "UPDATE alerts SET status = 'acknowledged', acknowledged_at = ?3, acknowledged_by = ?4, untold = ?5 \
         WHERE id = ?1 AND tenant_id = ?2 AND status = 'open'",
        &[id.into(), text(tenant).into(), now.into(), by.into(), untold.into()],
    )?;
    Ok(changed == 1)
}

pub(super) fn mute(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId, until: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE alerts SET muted_until = ?3 WHERE id = ?1 AND tenant_id = ?2";
    tx.exec(sql, &[id.into(), text(tenant).into(), until.into()]).map(drop)
}

/// Those of whose last change the operator has not heard.
pub(crate) fn untold(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Kept>> {
    tx.query(&format!("SELECT {COLUMNS} FROM alerts WHERE untold = 1 ORDER BY id LIMIT ?1"), &[limit.into()], read)
}

/// The operator has heard.
pub(crate) fn told(tx: &mut Tx<'_>, tenant: Option<TenantId>, id: AlertId) -> Result<()> {
    tx.exec("UPDATE alerts SET untold = 0 WHERE id = ?1 AND tenant_id = ?2", &[id.into(), text(tenant).into()]).map(drop)
}

/// Deletes some of those that closed before `before`; answers how many.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    // Ids sort by time: what was opened later cannot have closed before.
    let (last, sql) = (
        <AlertId as kernel::id::TypedId>::first_at(before),
        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE id < ?1 AND closed_at < ?2 AND standing = 0 ORDER BY id LIMIT ?3)",
    );
    tx.exec(sql, &[last.into(), before.into(), limit.into()])
}

/// How many are open, by severity.
pub(crate) fn count_open(tx: &mut Tx<'_>) -> Result<Vec<(String, u64)>> {
    let sql = "SELECT severity, COUNT(*) FROM alerts WHERE standing = 1 AND closed_at IS NULL GROUP BY severity";
    tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// A tenant goes.
pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM alerts WHERE tenant_id = ?1", &[tenant.into()]).map(drop)
}
