//! `sources.quarantine.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{CallId, Caller, Permission, Result, SourceId};

use super::{QuarantinedCall, sql};
use crate::Sources;

impl Sources {
    /// One quarantined call, with its body. Error: 404.
    pub async fn quarantined_call(&self, caller: &Caller, source: SourceId, call: CallId) -> Result<QuarantinedCall> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, source, call).map(QuarantinedCall::whole)).await
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path2(source, call): web::Path2<SourceId, CallId>,
) -> web::Result<web::Json<QuarantinedCall>> {
    Ok(web::Json(sources.quarantined_call(&caller, source, call).await?))
}
