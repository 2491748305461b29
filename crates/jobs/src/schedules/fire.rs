//! Starting the jobs of schedules that are due.

use std::sync::Arc;

use kernel::{Result, TenantId, TenantScope};
use serde_json::Value;
use store::Tx;

use super::{JobSchedule, cron, sql};
use crate::Jobs;
use crate::enqueue::Draft;

/// Schedules in one step.
const STEP: u32 = 100;

/// All that are due now, each once.
pub(crate) async fn fire_due(jobs: &Arc<Jobs>) -> Result<()> {
    loop {
        let now = jobs.ambient.now();
        let due = jobs.store.read(crate::scope(), move |tx| sql::due(tx, now, STEP)).await?;
        let is_last = due.len() < STEP as usize;
        for (tenant, schedule) in due {
            let (own, scope) = (Arc::clone(jobs), Jobs::system(tenant));
            let started = {
                let (schedule, scope) = (schedule.clone(), scope.clone());
                jobs.store.write(&scope.clone(), move |tx| fire(&own, tx, &scope, &schedule)).await
            };
            if let Err(error) = started {
                // Whatever is wrong with it must not be tried again and again: it is noted, and it goes on with its next time.
                tracing::warn!(?error, schedule = %schedule.id, "a schedule could not start its job");
                let (own, text) = (Arc::clone(jobs), error.detail().to_owned());
                jobs.store.write(&scope, move |tx| pass_over(&own, tx, tenant, &schedule, &text)).await?;
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

fn next(jobs: &Jobs, schedule: &JobSchedule) -> Option<kernel::Timestamp> {
    cron::next(&schedule.cron, &schedule.timezone, jobs.ambient.now()).ok()
}

fn fire(jobs: &Jobs, tx: &mut Tx<'_>, scope: &TenantScope, schedule: &JobSchedule) -> Result<()> {
    let tenant = scope.tenant();
    if !sql::move_on(tx, tenant, schedule, next(jobs, schedule))? {
        return Ok(());
    }
    if !access::tenants::is_active(tx, tenant)? {
        return sql::note(tx, tenant, schedule.id, None, Some("The tenant is suspended: nothing was started."));
    }
    let kind = Arc::clone(jobs.catalogue.get(&schedule.kind)?);
    kind.check_input(&Value::Object(schedule.input.clone()), "/input")?;
    let client = match schedule.client_id {
        Some(client) if sql::has_client(tx, tenant, client)? => Some(client),
        _ => None,
    };
    let draft = Draft {
        kind,
        client,
        input: schedule.input.clone(),
        priority: schedule.priority,
        run_at: None,
        deadline: None,
        webhook: None,
        schedule: Some(schedule.id),
    };
    let job = jobs.enqueue(tx, scope, draft)?;
    sql::note(tx, tenant, schedule.id, Some(job.id), None)
}

fn pass_over(jobs: &Jobs, tx: &mut Tx<'_>, tenant: TenantId, schedule: &JobSchedule, error: &str) -> Result<()> {
    if sql::move_on(tx, tenant, schedule, next(jobs, schedule))? {
        sql::note(tx, tenant, schedule.id, None, Some(error))?;
    }
    Ok(())
}
