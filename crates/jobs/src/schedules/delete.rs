//! `job_schedules.delete`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, JobScheduleId, Result};

use super::{get_row, sql};
use crate::Jobs;

impl Jobs {
    /// Deletes a schedule; jobs that it has started go on. Errors: 403 `insufficient_scope`; 404.
    pub async fn delete_schedule(self: &Arc<Self>, caller: &Caller, id: JobScheduleId) -> Result<()> {
        let scope = self.own_schedule(caller, id).await?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let before = get_row(tx, tenant, id)?;
                sql::delete(tx, tenant, id)?;
                tx.audit_change("job_schedule.delete", id, &before, &())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobScheduleId>,
) -> web::Result<web::NoContent> {
    jobs.delete_schedule(&caller, id).await?;
    Ok(web::NoContent)
}
