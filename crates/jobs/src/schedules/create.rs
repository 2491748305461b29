//! `job_schedules.create`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result};

use super::{JobSchedule, MAX_PER_TENANT, NewSchedule, check, sql};
use crate::{Jobs, authority};

impl Jobs {
    /// Makes a schedule. Errors: 403 `insufficient_scope`; 409 `too_many_job_schedules`; 413 `job_too_large`; 422 `unknown_job_type`, `invalid_cron`,
    /// `validation_failed`.
    pub async fn create_schedule(self: &Arc<Self>, caller: &Caller, new: NewSchedule) -> Result<JobSchedule> {
        authority::start(caller, self.catalogue.get(&new.kind)?)?;
        let scope = caller.tenant_scope()?;
        let (tenant, now) = (scope.tenant(), self.ambient.now());
        let mut schedule = JobSchedule {
            id: self.ambient.id(),
            kind: new.kind,
            name: new.name,
            cron: new.cron,
            timezone: new.timezone.unwrap_or_else(|| "UTC".to_owned()),
            input: new.input,
            priority: new.priority,
            enabled: new.enabled.unwrap_or(true),
            client_id: caller.client(),
            next_run_at: None,
            last_run_at: None,
            last_job_id: None,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        check(self, &mut schedule)?;
        let jobs = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                if sql::count(tx, tenant)? >= MAX_PER_TENANT {
                    let detail = format!("A tenant has at most {MAX_PER_TENANT} job schedules.");
                    return Err(Error::conflict("too_many_job_schedules", detail));
                }
                sql::insert(tx, tenant, &schedule)?;
                tx.audit_change("job_schedule.create", schedule.id, &(), &schedule)?;
                jobs.keeper.look_by(schedule.next_run_at);
                Ok(schedule)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Json(new): web::Json<NewSchedule>,
) -> web::Result<web::Created<JobSchedule>> {
    let body = jobs.create_schedule(&caller, new).await?;
    Ok(web::Created { location: format!("/api/v1/job-schedules/{}", body.id), body })
}
