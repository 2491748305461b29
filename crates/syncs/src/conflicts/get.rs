//! `conflicts.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ConflictId, Permission, Result};

use super::{Conflict, sql};
use crate::Syncs;

impl Syncs {
    /// One conflict. Errors: 403 `insufficient_scope`; 404.
    pub async fn get_conflict(&self, caller: &Caller, id: ConflictId) -> Result<Conflict> {
        let scope = caller.allow(Permission::SyncsRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, id)).await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ConflictId>,
) -> web::Result<web::Json<Conflict>> {
    Ok(web::Json(syncs.get_conflict(&caller, id).await?))
}
