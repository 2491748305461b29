//! `jobs.cancel`.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Error, JobId, Result};
use store::Tx;

use super::{Job, Row, get_row, sql};
use crate::{Jobs, authority};

impl Jobs {
    /// Ends a job that nobody wants any more. Whoever works on it learns so with the next sign that it gives: 409 `job_cancelled`.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `job_ended`.
    pub async fn cancel(self: &Arc<Self>, caller: &Caller, id: JobId) -> Result<Job> {
        let scope = caller.tenant_scope()?;
        let tenant = scope.tenant();
        let row = self.store.read(&scope, move |tx| sql::get_short(tx, tenant, id)).await?;
        let row = row.ok_or_else(|| Error::not_found("job"))?;
        match self.catalogue.find(&row.kind) {
            // Who may neither start nor see such jobs learns nothing of this one.
            Some(kind) if authority::read(caller, kind).is_err() && authority::start(caller, kind).is_err() => {
                return Err(Error::not_found("job"));
            }
            Some(kind) => authority::start(caller, kind)?,
            None => caller.require(kernel::Permission::JobsWrite)?,
        }
        let (jobs, authority) = (Arc::clone(self), scope.clone());
        self.store.answer(scope, move |tx| jobs.cancel_in(tx, &authority, id)).await
    }

    fn cancel_in(&self, tx: &mut Tx<'_>, scope: &kernel::TenantScope, id: JobId) -> Result<Job> {
        let (tenant, now) = (scope.tenant(), tx.now());
        let sql = format!(
            "UPDATE jobs SET state = 'cancelled', ended_at = ?3, due_at = NULL, lease_until = NULL \
             WHERE tenant_id = ?1 AND id = ?2 AND ended_at IS NULL RETURNING {}",
            sql::short()
        );
        let ended = tx.query_opt(&sql, &[tenant.into(), id.into(), now.into()], |row| sql::read(row, false))?;
        let Some(ended) = ended else {
            let row: Row = get_row(tx, tenant, id)?;
            return Err(Error::conflict("job_ended", format!("This job has ended already: it is {}.", row.state.as_str())));
        };
        self.follow_cancellation(tx, scope, &ended)?;
        tx.audit("job.cancel", id)?;
        Job::of(get_row(tx, tenant, id)?)
    }
}

pub(crate) async fn handle(
    Shared(jobs): Shared<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobId>,
) -> web::Result<web::Json<Job>> {
    Ok(web::Json(jobs.cancel(&caller, id).await?))
}
