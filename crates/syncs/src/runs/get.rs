//! `sync_runs.get`: how a run stands, and its report.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, SyncRunId};

use super::{SyncRun, sql};
use crate::Syncs;

impl Syncs {
    /// One run. Errors: 403 `insufficient_scope`; 404.
    pub async fn get_run(&self, caller: &Caller, id: SyncRunId) -> Result<SyncRun> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, id).map(|row| row.view())).await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncRunId>,
) -> web::Result<web::Json<SyncRun>> {
    Ok(web::Json(syncs.get_run(&caller, id).await?))
}
