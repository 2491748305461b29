//! `job_schedules.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, JobScheduleId, Result};

use super::{JobSchedule, get_row};
use crate::Jobs;

impl Jobs {
    /// One schedule. Error: 404.
    pub async fn get_schedule(&self, caller: &Caller, id: JobScheduleId) -> Result<JobSchedule> {
        let kinds = self.readable(caller).map_err(|_| Error::not_found("job schedule"))?;
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let found = self.store.read(scope, move |tx| get_row(tx, tenant, id)).await?;
        if kinds.is_some_and(|kinds| !kinds.contains(&found.kind)) {
            return Err(Error::not_found("job schedule"));
        }
        Ok(found)
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobScheduleId>,
) -> web::Result<web::Json<JobSchedule>> {
    Ok(web::Json(jobs.get_schedule(&caller, id).await?))
}
