//! `jobs.complete`.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Error, JobId, Kind as Failed, Result, TenantScope};
use serde_json::Value;
use store::Tx;

use super::{Completion, Token, authority, refusal};
use crate::ending::End;
use crate::jobs::{Job, State, get_row, sql};
use crate::{Jobs, MAX_RESULT};

impl Jobs {
    /// Ends a job with its result. Of several who say so, the one whose lease is good; said again with the same lease, the answer is the same.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `lease_lost`, `job_cancelled`; 413 `job_too_large`; 422 `validation_failed`, `result_refused`.
    pub async fn complete(self: &Arc<Self>, caller: &Caller, id: JobId, done: Completion) -> Result<Job> {
        let token: Token = done.lease_token.parse()?;
        let scope = authority(caller, &token)?;
        self.complete_with(scope, id, token, done.result).await
    }

    pub(crate) async fn complete_with(self: &Arc<Self>, scope: TenantScope, id: JobId, token: Token, result: Value) -> Result<Job> {
        if let Some(kind) = self.catalogue.find(&token.kind) {
            kind.check_result(&result)?;
        }
        if result.to_string().len() > MAX_RESULT {
            let detail = format!("The result of a job has at most {MAX_RESULT} bytes. Keep what is larger elsewhere and tell its address.");
            return Err(Error::new(Failed::TooLarge, "job_too_large", detail));
        }
        let (jobs, authority, end) = (Arc::clone(self), scope.clone(), End::Completed(result));
        self.store
            .answer(scope, move |tx| {
                let tenant = authority.tenant();
                if let Some(ended) = jobs.end_leased(tx, &authority, id, &token, &end)? {
                    return Job::of(ended);
                }
                again(tx, tenant, id, &token, State::Completed)
            })
            .await
    }
}

/// The lease that ended the job says so again: its first answer was lost on the way.
pub(super) fn again(tx: &mut Tx<'_>, tenant: kernel::TenantId, id: JobId, token: &Token, state: State) -> Result<Job> {
    let row = sql::get_short(tx, tenant, id)?;
    match row {
        Some(row) if row.state == state && token.is_of(&row.kind, row.epoch, row.lease.as_deref()) => Job::of(get_row(tx, tenant, id)?),
        _ => Err(refusal(tx, tenant, id)),
    }
}

pub(crate) async fn handle(
    Shared(jobs): Shared<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobId>,
    web::Json(done): web::Json<Completion>,
) -> web::Result<web::Json<Job>> {
    Ok(web::Json(jobs.complete(&caller, id, done).await?))
}
