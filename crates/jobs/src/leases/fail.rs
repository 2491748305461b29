//! `jobs.fail`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use kernel::{Caller, Error, JobId, Result, TenantScope};
use store::Tx;

use super::{Failure, Token, authority, complete, refusal};
use crate::catalogue::Kind;
use crate::ending::End;
use crate::jobs::{Job, JobError, State, get_row, sql};
use crate::mirror::{self, Standing};
use crate::{Jobs, lanes};

/// Longest `retryAfterSeconds`.
const MAX_RETRY_AFTER: u32 = 86_400;
/// Largest `error.details` in bytes.
const MAX_DETAILS: usize = 16 * 1024;

/// When to try again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    Never,
    AsDeclared,
    After(Duration),
}

const PUT_OFF: &str = "UPDATE jobs SET state = 'waiting', due_at = ?5, error = ?6, failures = failures + 1, lease_until = NULL \
                       WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing' AND epoch = ?3 AND lease = ?4";

impl Jobs {
    /// Says that an attempt failed. The job is tried again as its type says, or has failed for good.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `lease_lost`, `job_cancelled`; 422 `validation_failed`.
    pub async fn fail(self: &Arc<Self>, caller: &Caller, id: JobId, failure: Failure) -> Result<Job> {
        let token: Token = failure.lease_token.parse()?;
        let scope = authority(caller, &token)?;
        check(&failure.error)?;
        if failure.retry_after_seconds.is_some_and(|seconds| seconds > MAX_RETRY_AFTER) {
            return Err(Error::field("/retryAfterSeconds", format!("must be 0 to {MAX_RETRY_AFTER}")));
        }
        let again = match (failure.retry.unwrap_or(true), failure.retry_after_seconds) {
            (false, _) => Again::Never,
            (true, Some(seconds)) => Again::After(Duration::from_secs(seconds.into())),
            (true, None) => Again::AsDeclared,
        };
        self.fail_with(scope, id, token, failure.error, again).await
    }

    pub(crate) async fn fail_with(
        self: &Arc<Self>,
        scope: TenantScope,
        id: JobId,
        token: Token,
        error: JobError,
        again: Again,
    ) -> Result<Job> {
        let (jobs, authority) = (Arc::clone(self), scope.clone());
        self.store.answer(scope, move |tx| jobs.fail_in(tx, &authority, id, &token, error, again)).await
    }

    fn fail_in(&self, tx: &mut Tx<'_>, scope: &TenantScope, id: JobId, token: &Token, error: JobError, again: Again) -> Result<Job> {
        let tenant = scope.tenant();
        let kind = self.catalogue.find(&token.kind);
        let row = sql::get_short(tx, tenant, id)?.ok_or_else(|| Error::not_found("job"))?;
        if row.state != State::Processing || !token.is_of(&row.kind, row.epoch, row.lease.as_deref()) {
            // It was put off already, and the answer was lost; or it failed for good.
            let state = if row.state == State::Waiting { State::Waiting } else { State::Failed };
            return complete::again(tx, tenant, id, token, state);
        }
        let wait = kind.and_then(|kind| self.wait(kind, row.failures, again));
        let Some((kind, wait)) = kind.zip(wait) else {
            return match self.end_leased(tx, scope, id, token, &End::Failed(error))? {
                Some(ended) => Job::of(ended),
                None => Err(refusal(tx, tenant, id)),
            };
        };
        let due = tx.now().plus(wait);
        let text = serde_json::to_string(&error).map_err(Error::internal)?;
        let params = [tenant.into(), id.into(), token.epoch.into(), token.nonce.as_str().into(), due.into(), text.into()];
        if tx.exec(PUT_OFF, &params)? == 0 {
            return Err(refusal(tx, tenant, id));
        }
        lanes::freed(tx, tenant, kind)?;
        if mirror::is_shown(kind) {
            self.mirror_in(tx, scope, id, Standing::Pending)?;
        }
        self.keeper.look_by(Some(due));
        metrics::counter!("tradewind_job_retries_total", "type" => row.kind).increment(1);
        Job::of(get_row(tx, tenant, id)?)
    }

    /// How long to wait before the next attempt, a tenth more or less; none: there is none. `failures`: before this one.
    fn wait(&self, kind: &Kind, failures: i64, again: Again) -> Option<Duration> {
        let declared = *kind.declared.retry_schedule_ms.get(usize::try_from(failures).ok()?)?;
        match again {
            Again::Never => None,
            Again::After(wait) => Some(wait),
            Again::AsDeclared => Some(Duration::from_millis(declared * (900 + self.ambient.below(201)) / 1000)),
        }
    }
}

fn check(error: &JobError) -> Result<()> {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
    if error.code.is_empty() || error.code.len() > 64 || !error.code.bytes().all(is_word) {
        return Err(Error::field("/error/code", "must be 1 to 64 of a-z 0-9 _ . -"));
    }
    kernel::text::prose("/error/message", &error.message, 2000)?;
    if error.details.as_ref().is_some_and(|details| details.to_string().len() > MAX_DETAILS) {
        return Err(Error::field("/error/details", format!("must have at most {MAX_DETAILS} bytes")));
    }
    Ok(())
}

pub(crate) async fn handle(
    Shared(jobs): Shared<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobId>,
    web::Json(failure): web::Json<Failure>,
) -> web::Result<web::Json<Job>> {
    Ok(web::Json(jobs.fail(&caller, id, failure).await?))
}
