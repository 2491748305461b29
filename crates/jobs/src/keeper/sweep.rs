//! The steps of a look.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{JobId, Result, TenantId, Timestamp};
use store::Tx;

use crate::jobs::{JobError, Row, State, sql};
use crate::mirror::{self, Standing};
use crate::{Jobs, TOPIC, lanes};

/// Jobs in one step.
const STEP: u32 = 200;
/// How many workers a job may cost before it is given up.
const MOST_LOSSES: i64 = 20;

const DUE: &str = "SELECT tenant_id, id, type FROM jobs WHERE state = 'waiting' AND due_at <= ?1 ORDER BY due_at LIMIT ?2";
const BEGIN: &str = "UPDATE jobs SET state = ?3, due_at = NULL WHERE tenant_id = ?1 AND id = ?2 AND state = 'waiting' AND due_at <= ?4";
const TAKE_BACK: &str = "UPDATE jobs SET state = 'ready', lease = NULL, lease_until = NULL, losses = losses + 1 \
                         WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing' AND epoch = ?3 AND lease_until <= ?4";
const OVERDUE: &str = "SELECT tenant_id, id FROM jobs WHERE deadline_at IS NOT NULL AND ended_at IS NULL AND deadline_at <= ?1 \
                       ORDER BY deadline_at LIMIT ?2";
const NEXT: &str = "SELECT (SELECT MIN(lease_until) FROM jobs WHERE state = 'processing'), (SELECT MIN(due_at) FROM jobs WHERE state = 'waiting'), \
                    (SELECT MIN(deadline_at) FROM jobs WHERE deadline_at IS NOT NULL AND ended_at IS NULL), \
                    (SELECT MIN(next_at) FROM job_schedules WHERE next_at IS NOT NULL)";

impl Jobs {
    /// Jobs whose time has come become ready, or take their place among their tenant's.
    pub(super) async fn begin_due(self: &Arc<Self>) -> Result<()> {
        loop {
            let now = self.ambient.now();
            let found = self.store.read(crate::scope(), move |tx| {
                tx.query(DUE, &[now.into(), STEP.into()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            });
            let found: Vec<(TenantId, JobId, String)> = found.await?;
            let is_last = found.len() < STEP as usize;
            if !found.is_empty() {
                let jobs = Arc::clone(self);
                self.store.write(crate::scope(), move |tx| jobs.begin(tx, &found, now)).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn begin(&self, tx: &mut Tx<'_>, found: &[(TenantId, JobId, String)], now: Timestamp) -> Result<()> {
        let mut lanes = BTreeSet::new();
        for (tenant, id, name) in found {
            let held = self.catalogue.find(name).is_some_and(|kind| kind.declared.concurrency_per_tenant.is_some());
            let state = if held { State::Held } else { State::Ready };
            tx.exec(BEGIN, &[(*tenant).into(), (*id).into(), state.as_str().into(), now.into()])?;
            if held {
                lanes.insert((*tenant, name));
            } else {
                tx.notify(TOPIC, name);
            }
        }
        for (tenant, name) in lanes {
            if let Some(kind) = self.catalogue.find(name) {
                lanes::fill(tx, tenant, kind)?;
            }
        }
        Ok(())
    }

    /// Jobs whose worker is silent are ready again; one that has cost too many is given up.
    pub(super) async fn take_back_lost(self: &Arc<Self>) -> Result<()> {
        loop {
            let now = self.ambient.now();
            let lost = self.store.read(crate::scope(), move |tx| {
                let sql = format!(
                    "SELECT {} FROM jobs WHERE state = 'processing' AND lease_until <= ?1 ORDER BY lease_until LIMIT ?2",
                    sql::short()
                );
                tx.query(&sql, &[now.into(), STEP.into()], |row| sql::read(row, false))
            });
            let lost: Vec<Row> = lost.await?;
            let is_last = lost.len() < STEP as usize;
            let (hopeless, others): (Vec<Row>, Vec<Row>) = lost.into_iter().partition(|row| row.losses + 1 >= MOST_LOSSES);
            if !others.is_empty() {
                let shown: Vec<_> = others.iter().filter(|row| self.is_shown(row)).map(|row| (row.tenant, row.id)).collect();
                self.store.write(crate::scope(), move |tx| take_back(tx, &others, now)).await?;
                self.mirror(shown, Standing::Pending).await;
            }
            for row in hopeless {
                let message = format!("{MOST_LOSSES} workers fell silent while they had this job.");
                self.give_up(row.tenant, row.id, JobError::new("worker_lost", message)).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Whether the job's record shows how it stands.
    fn is_shown(&self, row: &Row) -> bool {
        self.catalogue.find(&row.kind).is_some_and(|kind| mirror::is_shown(kind))
    }

    /// Jobs that have not ended by their deadline have failed.
    pub(super) async fn end_overdue(self: &Arc<Self>) -> Result<()> {
        loop {
            let now = self.ambient.now();
            let found = self
                .store
                .read(crate::scope(), move |tx| tx.query(OVERDUE, &[now.into(), STEP.into()], |row| Ok((row.get(0)?, row.get(1)?))));
            let found: Vec<(TenantId, JobId)> = found.await?;
            let is_last = found.len() < STEP as usize;
            for (tenant, id) in found {
                let error = JobError::new("deadline_exceeded", "The job had not ended by its deadline.");
                self.give_up(tenant, id, error).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    async fn give_up(self: &Arc<Self>, tenant: TenantId, id: JobId, error: JobError) -> Result<()> {
        let jobs = Arc::clone(self);
        self.store.write(Self::system(tenant), move |tx| jobs.fail_open(tx, tenant, id, error).map(drop)).await
    }

    /// When something is due next.
    pub(super) async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.store
            .read(crate::scope(), |tx| {
                let read = |row: &store::Row<'_>| {
                    let times: [Option<Timestamp>; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                    Ok(times.into_iter().flatten().min())
                };
                tx.query_one(NEXT, &[], read)
            })
            .await
    }
}

fn take_back(tx: &mut Tx<'_>, lost: &[Row], now: Timestamp) -> Result<()> {
    for row in lost {
        let params = [row.tenant.into(), row.id.into(), row.epoch.into(), now.into()];
        if tx.exec(TAKE_BACK, &params)? > 0 {
            metrics::counter!("tradewind_job_leases_lost_total", "type" => row.kind.clone()).increment(1);
            tx.notify(TOPIC, &row.kind);
        }
    }
    Ok(())
}
