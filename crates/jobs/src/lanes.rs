//! Places: how many jobs of a type, and of a tenant, may be under way at once.
//!
//! A tenant's jobs of a type with `concurrency_per_tenant` are *held*, but for as many as there are places: those are ready or under way. So
//! whoever leases takes the first that is ready and passes over nobody. Places are counted under a lock on a row of `job_lanes`.

use kernel::{Result, TenantId};
use store::Tx;

use crate::TOPIC;
use crate::catalogue::{Catalogue, Kind};

const LOCK: &str =
    "INSERT INTO job_lanes (tenant_id, type, at) VALUES (?1, ?2, ?3) ON CONFLICT (tenant_id, type) DO UPDATE SET at = excluded.at";
const TAKEN: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM jobs WHERE tenant_id = ?1 AND type = ?2 AND state IN ('ready', 'processing') \
                     AND state IN ('held', 'ready', 'processing') LIMIT ?3) AS taken";
const ADMIT: &str = "UPDATE jobs SET state = 'ready' WHERE tenant_id = ?1 AND id IN (SELECT id FROM jobs WHERE tenant_id = ?1 AND type = ?2 \
                     AND state = 'held' AND state IN ('held', 'ready', 'processing') ORDER BY rank, id LIMIT ?3)";
const HELD: &str = "SELECT tenant_id, type FROM jobs WHERE (tenant_id, type) > (?1, ?2) AND state = 'held' AND state IN ('held', 'ready', 'processing') \
                    ORDER BY tenant_id, type LIMIT 1";
const OPEN: &str =
    "UPDATE jobs SET state = 'ready' WHERE tenant_id = ?1 AND type = ?2 AND state = 'held' AND state IN ('held', 'ready', 'processing')";
const UNDER_WAY: &str = "SELECT COUNT(*) FROM jobs WHERE state = 'processing' AND type = ?1";

/// Gives the free places of a tenant to those of its jobs that are held, the lowest rank first.
pub(crate) fn fill(tx: &mut Tx<'_>, tenant: TenantId, kind: &Kind) -> Result<()> {
    let Some(places) = kind.declared.concurrency_per_tenant else { return Ok(()) };
    let now = tx.now();
    tx.exec(LOCK, &[tenant.into(), kind.name().into(), now.into()])?;
    let taken: i64 = tx.query_one(TAKEN, &[tenant.into(), kind.name().into(), places.into()], |row| row.get(0))?;
    let free = i64::from(places) - taken;
    if free > 0 && tx.exec(ADMIT, &[tenant.into(), kind.name().into(), free.into()])? > 0 {
        tx.notify(TOPIC, kind.name());
    }
    Ok(())
}

/// What a changed blueprint leaves: jobs that are held although there are places, or no limit any more. Answers whether there may be more.
pub(crate) fn settle(tx: &mut Tx<'_>, catalogue: &Catalogue, after: &(String, String)) -> Result<Option<(String, String)>> {
    let params = [after.0.as_str().into(), after.1.as_str().into()];
    let found = tx.query_opt(HELD, &params, |row| Ok((row.get::<TenantId>(0)?, row.get::<String>(1)?)))?;
    let Some((tenant, name)) = found else { return Ok(None) };
    match catalogue.find(&name) {
        Some(kind) if kind.declared.concurrency_per_tenant.is_some() => fill(tx, tenant, kind)?,
        Some(_) => {
            tx.exec(OPEN, &[tenant.into(), name.as_str().into()])?;
            tx.notify(TOPIC, &name);
        }
        None => {}
    }
    Ok(Some((tenant.to_string(), name)))
}

/// How many jobs of a type may be leased now, at most `most`. Run by the system.
pub(crate) fn free(tx: &mut Tx<'_>, kind: &Kind, most: u32) -> Result<u32> {
    let Some(places) = kind.declared.concurrency else { return Ok(most) };
    let now = tx.now();
    tx.exec(LOCK, &["".into(), kind.name().into(), now.into()])?;
    let taken: i64 = tx.query_one(UNDER_WAY, &[kind.name().into()], |row| row.get(0))?;
    Ok(u32::try_from(i64::from(places) - taken).unwrap_or(0).min(most))
}

/// A job that was ready or under way is not any more.
pub(crate) fn freed(tx: &mut Tx<'_>, tenant: TenantId, kind: &Kind) -> Result<()> {
    if kind.declared.concurrency.is_some() {
        tx.notify(TOPIC, kind.name());
    }
    fill(tx, tenant, kind)
}
