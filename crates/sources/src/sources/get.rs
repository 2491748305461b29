//! `sources.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, SourceId, TenantId};
use store::Tx;

use super::{Source, get_row, sql};
use crate::Sources;

impl Sources {
    /// One source. Error: 404.
    pub async fn get(self: &Arc<Self>, caller: &Caller, id: SourceId) -> Result<Source> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let (tenant, sources) = (scope.tenant(), Arc::clone(self));
        self.store.read(scope, move |tx| sources.view(tx, tenant, id)).await
    }

    pub(super) fn view(&self, tx: &mut Tx<'_>, tenant: TenantId, id: SourceId) -> Result<Source> {
        let row = get_row(tx, tenant, id)?;
        let secrets = sql::secrets(tx, tenant, id)?;
        Ok(Source::of(row, &secrets, self.url(id), tx.now()))
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SourceId>,
) -> web::Result<web::Json<Source>> {
    Ok(web::Json(sources.get(&caller, id).await?))
}
