//! `job_schedules.update` (PATCH).

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, JobScheduleId, Result};

use super::{JobSchedule, SchedulePatch, check, get_row, sql};
use crate::{Jobs, authority};

impl Jobs {
    /// Changes a schedule; its next time is reckoned from now.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 413 `job_too_large`; 422 `unknown_job_type`, `invalid_cron`, `validation_failed`.
    pub async fn update_schedule(self: &Arc<Self>, caller: &Caller, id: JobScheduleId, patch: SchedulePatch) -> Result<JobSchedule> {
        let scope = self.own_schedule(caller, id).await?;
        let (tenant, jobs) = (scope.tenant(), Arc::clone(self));
        self.store
            .answer(scope, move |tx| {
                let before = get_row(tx, tenant, id)?;
                let mut after = patched(before.clone(), patch);
                after.updated_at = tx.now();
                check(&jobs, &mut after)?;
                sql::update(tx, tenant, &after)?;
                tx.audit_change("job_schedule.update", id, &before, &after)?;
                jobs.keeper.look_by(after.next_run_at);
                Ok(after)
            })
            .await
    }

    /// The authority to change it: that over jobs of its type. Errors: 403 `insufficient_scope`; 404.
    pub(super) async fn own_schedule(&self, caller: &Caller, id: JobScheduleId) -> Result<kernel::TenantScope> {
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let found = self.store.read(&scope, move |tx| get_row(tx, tenant, id)).await?;
        match self.catalogue.find(&found.kind) {
            Some(kind) if authority::read(caller, kind).is_err() && authority::start(caller, kind).is_err() => {
                Err(Error::not_found("job schedule"))
            }
            Some(kind) => authority::start(caller, kind).map(|()| scope),
            None => caller.require(kernel::Permission::JobsWrite).map(|()| scope),
        }
    }
}

fn patched(row: JobSchedule, patch: SchedulePatch) -> JobSchedule {
    JobSchedule {
        cron: patch.cron.unwrap_or(row.cron),
        timezone: patch.timezone.unwrap_or(row.timezone),
        name: patch.name.apply(row.name),
        input: patch.input.unwrap_or(row.input),
        priority: patch.priority.apply(row.priority),
        enabled: patch.enabled.unwrap_or(row.enabled),
        ..row
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobScheduleId>,
    web::Json(patch): web::Json<SchedulePatch>,
) -> web::Result<web::Json<JobSchedule>> {
    Ok(web::Json(jobs.update_schedule(&caller, id, patch).await?))
}
