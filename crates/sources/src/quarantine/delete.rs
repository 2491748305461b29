//! `sources.quarantine.delete` and `sources.quarantine.empty`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{CallId, Caller, Permission, Result, SourceId};

use super::sql;
use crate::Sources;
use crate::sources::get_row;

impl Sources {
    /// Deletes one quarantined call. Error: 404.
    pub async fn delete_quarantined(&self, caller: &Caller, source: SourceId, call: CallId) -> Result<()> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                sql::delete(tx, tenant, source, call)?;
                tx.audit("quarantined_call.delete", call)
            })
            .await
    }

    /// Deletes a source's whole quarantine. Error: 404.
    pub async fn empty_quarantine(&self, caller: &Caller, source: SourceId) -> Result<()> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                get_row(tx, tenant, source)?;
                sql::delete_of_source(tx, tenant, source)?;
                tx.audit("source.empty_quarantine", source)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path2(source, call): web::Path2<SourceId, CallId>,
) -> web::Result<web::NoContent> {
    sources.delete_quarantined(&caller, source, call).await?;
    Ok(web::NoContent)
}

pub(crate) async fn handle_all(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(source): web::Path<SourceId>,
) -> web::Result<web::NoContent> {
    sources.empty_quarantine(&caller, source).await?;
    Ok(web::NoContent)
}
