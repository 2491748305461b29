//! `replays.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, ReplayId, Result};

use super::{Replay, sql};
use crate::Webhooks;

impl Webhooks {
    /// One run. Error: 404.
    pub async fn replay(&self, caller: &Caller, id: ReplayId) -> Result<Replay> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| Ok(sql::get(tx, tenant, id)?.view)).await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ReplayId>,
) -> web::Result<web::Json<Replay>> {
    Ok(web::Json(webhooks.replay(&caller, id).await?))
}
