//! Every statement on `tier_overrides`.

use blueprint::model::Tier;
use kernel::Result;
use store::Tx;

pub(crate) fn all(tx: &mut Tx<'_>) -> Result<Vec<Tier>> {
    tx.query("SELECT tier, per_minute, per_hour, per_day, burst FROM tier_overrides ORDER BY tier", &[], |row| {
        Ok(Tier { name: row.get(0)?, per_minute: row.get(1)?, per_hour: row.get(2)?, per_day: row.get(3)?, burst: row.get(4)? })
    })
}

pub(super) fn upsert(tx: &mut Tx<'_>, tier: &Tier) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO tier_overrides (tier, per_minute, per_hour, per_day, burst, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (tier) DO UPDATE SET per_minute = excluded.per_minute, per_hour = excluded.per_hour, per_day = excluded.per_day, \
         burst = excluded.burst, updated_at = excluded.updated_at",
        &[tier.name.as_str().into(), tier.per_minute.into(), tier.per_hour.into(), tier.per_day.into(), tier.burst.into(), now.into()],
    )?;
    Ok(())
}
