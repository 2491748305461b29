//! The statements by which jobs are handed out. Run by the system; a tenant's worker gets its tenant's only.

use kernel::{Error, JobId, Result, TenantId, Timestamp};
use serde_json::Value;
use store::{Dialect, Tx};

use super::{Lease, Token};

macro_rules! take {
    ($chosen:literal) => {
        Dialect {
            sqlite: concat!(
                "UPDATE jobs SET state = 'processing', attempts = attempts + 1, epoch = epoch + 1, lease = ?3, lease_until = ?4, worker = ?5, \
                 due_at = NULL, started_at = COALESCE(started_at, ?6) WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM jobs WHERE ",
                $chosen,
                " ORDER BY rank, id LIMIT ?2) RETURNING tenant_id, id, input, attempts, progress, deadline_at, epoch, rank"
            ),
            postgres: concat!(
                "WITH chosen AS MATERIALIZED (SELECT tenant_id, id FROM jobs WHERE ",
                $chosen,
                " ORDER BY rank, id LIMIT ?2 FOR UPDATE SKIP LOCKED) UPDATE jobs SET state = 'processing', attempts = attempts + 1, \
                 epoch = epoch + 1, lease = ?3, lease_until = ?4, worker = ?5, due_at = NULL, started_at = COALESCE(started_at, ?6) FROM chosen \
                 WHERE jobs.tenant_id = chosen.tenant_id AND jobs.id = chosen.id \
                 RETURNING jobs.tenant_id, jobs.id, input, attempts, progress, deadline_at, epoch, rank"
            ),
        }
    };
}

const OF_ALL: Dialect = take!("type = ?1 AND state = 'ready'");
const OF_ONE: Dialect = take!("tenant_id = ?7 AND type = ?1 AND state = 'ready' AND state IN ('held', 'ready', 'processing')");

/// Who leases, and how.
pub(crate) struct Taker<'a> {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) worker: Option<&'a str>,
    pub(crate) nonce: &'a str,
    pub(crate) until: Timestamp,
}

/// Leases at most `most` of the jobs of a type that are ready, the lowest rank first.
pub(crate) fn take(tx: &mut Tx<'_>, kind: &str, most: u32, taker: &Taker<'_>) -> Result<Vec<Lease>> {
    let now = tx.now();
    let mut params: Vec<store::Value> =
        vec![kind.into(), most.into(), taker.nonce.into(), taker.until.into(), taker.worker.into(), now.into()];
    params.extend(taker.tenant.map(Into::into));
    let read = |row: &store::Row<'_>| {
        let (tenant, id): (TenantId, JobId) = (row.get(0)?, row.get(1)?);
        let token = Token { tenant, epoch: row.get(6)?, nonce: taker.nonce.to_owned(), kind: kind.to_owned() };
        let input: Value = serde_json::from_str(&row.get::<String>(2)?).map_err(Error::internal)?;
        let lease = Lease {
            id,
            kind: kind.to_owned(),
            tenant_id: tenant,
            input,
            attempt: row.get(3)?,
            progress: row.get(4)?,
            deadline: row.get(5)?,
            lease_token: token.to_string(),
            lease_until: taker.until,
        };
        Ok((row.get::<i64>(7)?, lease))
    };
    let mut taken = tx.query(if taker.tenant.is_some() { OF_ONE } else { OF_ALL }, &params, read)?;
    taken.sort_by_key(|(rank, lease)| (*rank, lease.id));
    Ok(taken.into_iter().map(|(_, lease)| lease).collect())
}

/// The lowest rank among the jobs of a type that are ready.
pub(crate) fn first(tx: &mut Tx<'_>, kind: &str, tenant: Option<TenantId>) -> Result<Option<i64>> {
    let mut params: Vec<store::Value> = vec![kind.into()];
    params.extend(tenant.map(Into::into));
    let sql = match tenant {
        None => "SELECT rank FROM jobs WHERE type = ?1 AND state = 'ready' ORDER BY rank, id LIMIT 1",
        Some(_) => {
            "SELECT rank FROM jobs WHERE tenant_id = ?2 AND type = ?1 AND state = 'ready' AND state IN ('held', 'ready', 'processing') \
             ORDER BY rank LIMIT 1"
        }
    };
    tx.query_opt(sql, &params, |row| row.get(0))
}
