//! Every statement on `alert_rules`.

use kernel::{Result, TenantId};
use store::{Row, Tx};

use super::{Overrides, Rule, Settings};

/// How the tenant column names a tenant, or the installation.
pub(crate) fn text(tenant: Option<TenantId>) -> String {
    tenant.map(|tenant| tenant.to_string()).unwrap_or_default()
}

fn read(row: &Row<'_>) -> Result<Overrides> {
    let severity = row.get::<Option<String>>(1)?.map(|text| text.parse()).transpose()?;
    Ok(Overrides { enabled: row.get(0)?, severity, threshold: row.get(2)?, minimum: row.get(3)? })
}

/// What was set for a tenant, or, by the operator, for all.
pub(crate) fn overrides(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule) -> Result<Option<Overrides>> {
    let sql = "SELECT enabled, severity, threshold, minimum FROM alert_rules WHERE tenant_id = ?1 AND rule = ?2";
    tx.query_opt(sql, &[text(tenant).into(), rule.name().into()], read)
}

pub(super) fn put(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule, set: &Overrides) -> Result<()> {
    let now = tx.now();
    let (enabled, severity) = (set.enabled, set.severity.map(crate::Severity::as_str));
    tx.exec(
        "INSERT INTO alert_rules (tenant_id, rule, enabled, severity, threshold, minimum, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT (tenant_id, rule) DO UPDATE SET enabled = excluded.enabled, severity = excluded.severity, \
         threshold = excluded.threshold, minimum = excluded.minimum, updated_at = excluded.updated_at",
        &[text(tenant).into(), rule.name().into(), enabled.into(), severity.into(), set.threshold.into(), set.minimum.into(), now.into()],
    )?;
    Ok(())
}

pub(super) fn clear(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule) -> Result<()> {
    tx.exec("DELETE FROM alert_rules WHERE tenant_id = ?1 AND rule = ?2", &[text(tenant).into(), rule.name().into()]).map(drop)
}

/// The lowest and the highest threshold that holds for anybody.
pub(crate) fn thresholds(tx: &mut Tx<'_>, rule: Rule) -> Result<(f64, f64)> {
    let sql = "SELECT MIN(threshold), MAX(threshold) FROM alert_rules WHERE rule = ?1 AND threshold IS NOT NULL";
    let (low, high) = tx.query_one(sql, &[rule.name().into()], |row| Ok((row.get::<Option<f64>>(0)?, row.get::<Option<f64>>(1)?)))?;
    let usual = rule.facts().threshold;
    Ok((low.unwrap_or(usual).min(usual), high.unwrap_or(usual).max(usual)))
}

/// The lowest minimum that holds for anybody.
pub(crate) fn least(tx: &mut Tx<'_>, rule: Rule) -> Result<u64> {
    let sql = "SELECT MIN(minimum) FROM alert_rules WHERE rule = ?1 AND minimum IS NOT NULL";
    let low = tx.query_one(sql, &[rule.name().into()], |row| row.get::<Option<u64>>(0))?;
    let usual = rule.facts().minimum.unwrap_or(0);
    Ok(low.unwrap_or(usual).min(usual))
}

/// The figures that hold for a tenant, or for the operator's own alerts.
pub(crate) fn settings(tx: &mut Tx<'_>, tenant: Option<TenantId>, rule: Rule) -> Result<Settings> {
    let operators = overrides(tx, None, rule)?.unwrap_or_default();
    let own = if tenant.is_some() { overrides(tx, tenant, rule)?.unwrap_or_default() } else { Overrides::default() };
    Ok(Settings::of(rule, own, &operators))
}

/// A tenant goes.
pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM alert_rules WHERE tenant_id = ?1", &[tenant.into()]).map(drop)
}
