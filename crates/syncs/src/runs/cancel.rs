//! `sync_runs.cancel`.

use std::sync::Arc;

use axum::extract::State as Shared;
use kernel::{Caller, Error, Permission, Result, SyncRunId};

use super::{State, SyncRun, sql};
use crate::Syncs;

impl Syncs {
    /// Ends a run that has not ended; what it did stays done.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `sync_run_ended`.
    pub async fn cancel_run(&self, caller: &Caller, id: SyncRunId) -> Result<SyncRun> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let row = sql::get(tx, tenant, id)?;
                let now = tx.now();
                if row.state.is_end() || !sql::decide(tx, tenant, id, State::Cancelled, row.approved, Some(now))? {
                    return Err(ended());
                }
                tx.audit("sync_run.cancel", id)?;
                Ok(sql::get(tx, tenant, id)?.view())
            })
            .await
    }
}

pub(super) fn ended() -> Error {
    Error::conflict("sync_run_ended", "The run has ended already.")
}

pub(crate) async fn handle(
    Shared(syncs): Shared<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
) -> web::Result<web::Json<SyncRun>> {
    Ok(web::Json(syncs.cancel_run(&caller, id).await?))
}
