//! `jobs.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, JobId, Result, TenantScope};

use super::{Job, get_row};
use crate::Jobs;

impl Jobs {
    /// One job, with input and result. Errors: 404, also for a job of a type that the caller may not see.
    pub async fn get(&self, caller: &Caller, id: JobId) -> Result<Job> {
        // Who may see no jobs at all is told what everybody is told who may not see this one.
        let kinds = self.readable(caller).map_err(|_| Error::not_found("job"))?;
        self.find(caller.tenant_scope()?, id, kinds).await
    }

    /// One job of one of these types (none: of any): for an endpoint that the blueprint declares, whose scope has been asked for. Error: 404.
    pub async fn find(&self, scope: TenantScope, id: JobId, kinds: Option<Vec<String>>) -> Result<Job> {
        let tenant = scope.tenant();
        let row = self.store.read(scope, move |tx| get_row(tx, tenant, id)).await?;
        if kinds.is_some_and(|kinds| !kinds.contains(&row.kind)) {
            return Err(Error::not_found("job"));
        }
        Job::of(row)
    }
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobId>,
) -> web::Result<web::Json<Job>> {
    Ok(web::Json(jobs.get(&caller, id).await?))
}
