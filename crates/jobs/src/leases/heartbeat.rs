//! `jobs.heartbeat`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use blueprint::model::JobExecutor;
use kernel::{Caller, Error, JobId, Result, TenantScope, Timestamp};
use store::Tx;

use super::{Heartbeat, Pulse, Token, authority, refusal};
use crate::Jobs;
use crate::jobs::Status;

const PULSE: &str = "UPDATE jobs SET lease_until = ?5, progress = CASE WHEN progress < ?6 THEN ?6 ELSE progress END, message = COALESCE(?7, message) \
                     WHERE tenant_id = ?1 AND id = ?2 AND state = 'processing' AND epoch = ?3 AND lease = ?4 AND type = ?8 RETURNING progress";

impl Jobs {
    /// Keeps a lease and tells how far the work is. Progress never goes back: what is lower changes nothing.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `lease_lost`, `job_cancelled`; 422 `validation_failed`.
    pub async fn heartbeat(self: &Arc<Self>, caller: &Caller, id: JobId, sign: Heartbeat) -> Result<Pulse> {
        let token: Token = sign.lease_token.parse()?;
        let scope = authority(caller, &token)?;
        let progress = sign.progress.unwrap_or(0);
        if !(0..=100).contains(&progress) {
            return Err(Error::field("/progress", "must be 0 to 100"));
        }
        if let Some(message) = &sign.message {
            kernel::text::line("/message", message, 0, 200)?;
        }
        let length = self.catalogue.find(&token.kind).map_or(30_000, |kind| match kind.declared.executor {
            JobExecutor::Worker => kind.declared.lease_ms,
            JobExecutor::Http { update_within_ms, .. } => update_within_ms,
        });
        let until = self.ambient.now().plus(Duration::from_millis(length));
        self.keep(scope, id, token, until, (progress, sign.message)).await
    }

    /// The lease is good until then.
    pub(crate) async fn keep(
        self: &Arc<Self>,
        scope: TenantScope,
        id: JobId,
        token: Token,
        until: Timestamp,
        told: (i64, Option<String>),
    ) -> Result<Pulse> {
        let (jobs, tenant) = (Arc::clone(self), token.tenant);
        self.store
            .write(scope, move |tx: &mut Tx<'_>| {
                let (epoch, nonce, kind) = (token.epoch.into(), token.nonce.into(), token.kind.into());
                let params = [tenant.into(), id.into(), epoch, nonce, until.into(), told.0.into(), told.1.into(), kind];
                let progress = tx.query_opt(PULSE, &params, |row| row.get(0))?;
                let progress = progress.ok_or_else(|| refusal(tx, tenant, id))?;
                jobs.keeper.look_by(Some(until));
                Ok(Pulse { id, status: Status::Processing, progress, lease_until: until })
            })
            .await
    }
}

pub(crate) async fn handle(
    Shared(jobs): Shared<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<JobId>,
    web::Json(sign): web::Json<Heartbeat>,
) -> web::Result<web::Json<Pulse>> {
    Ok(web::Json(jobs.heartbeat(&caller, id, sign).await?))
}
