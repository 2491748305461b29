//! Every statement on `tier_overrides`.

use std::collections::BTreeMap;

use blueprint::model::{EnvironmentLimits, Tier};
use kernel::Result;
use store::{Row, Tx};

use super::WindowLimits;
use crate::MonthlyQuota;
use crate::clients::sql::{json, parse};

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Tier>> {
    let sql = "SELECT tier, per_minute, per_hour, per_day, burst, monthly_quota, environments FROM tier_overrides ORDER BY tier";
    tx.query(sql, &[], read)
}

fn read(row: &Row<'_>) -> Result<Tier> {
    let quota: Option<MonthlyQuota> = row.get::<Option<String>>(5)?.map(|text| parse(&text)).transpose()?;
    let environments: BTreeMap<String, WindowLimits> =
        row.get::<Option<String>>(6)?.map(|text| parse(&text)).transpose()?.unwrap_or_default();
    Ok(Tier {
        name: row.get(0)?,
        per_minute: row.get(1)?,
        per_hour: row.get(2)?,
        per_day: row.get(3)?,
        burst: row.get(4)?,
        monthly_quota: quota.map(Into::into),
        environments: environments
            .into_iter()
            .map(|(environment, limits)| EnvironmentLimits { environment, windows: limits.into() })
            .collect(),
    })
}

pub(super) fn upsert(tx: &mut Tx<'_>, tier: &Tier) -> Result<()> {
    let now = tx.now();
    let quota = tier.monthly_quota.map(|quota| json(&MonthlyQuota::from(quota))).transpose()?;
    let environments: BTreeMap<&str, WindowLimits> =
        tier.environments.iter().map(|one| (one.environment.as_str(), one.windows.into())).collect();
    tx.exec(
        "INSERT INTO tier_overrides (tier, per_minute, per_hour, per_day, burst, updated_at, monthly_quota, environments) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (tier) DO UPDATE SET per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day, \
         burst = excluded.burst, updated_at = excluded.updated_at, monthly_quota = excluded.monthly_quota, \
         environments = excluded.environments",
        &[
            tier.name.as_str().into(),
            tier.per_minute.into(),
            tier.per_hour.into(),
            tier.per_day.into(),
            tier.burst.into(),
            now.into(),
            quota.into(),
            json(&environments)?,
        ],
    )?;
    Ok(())
}
