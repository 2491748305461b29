//! `sync_configs.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, SyncConfigId};

use super::{SyncConfig, sql};
use crate::Syncs;

impl Syncs {
    /// One sync. Errors: 403 `insufficient_scope`; 404.
    pub async fn get_config(&self, caller: &Caller, id: SyncConfigId) -> Result<SyncConfig> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, id).map(|row| row.config)).await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
) -> web::Result<web::Json<SyncConfig>> {
    Ok(web::Json(syncs.get_config(&caller, id).await?))
}
