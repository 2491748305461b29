//! `replays.cancel`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, ReplayId, Result};

use super::{Progress, Replay, sql};
use crate::Webhooks;

impl Webhooks {
    /// Stops a run. One that has ended stays as it is. Error: 404.
    pub async fn cancel_replay(&self, caller: &Caller, id: ReplayId) -> Result<Replay> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let seen = sql::get(tx, tenant, id)?;
                // Taking it waits for a step that is under way, which may have been the last one; so it is read again.
                if sql::take(tx, tenant, id, seen.next_at)? || sql::get(tx, tenant, id)?.view.status == Progress::Running {
                    let mut row = sql::get(tx, tenant, id)?;
                    row.view.status = Progress::Cancelled;
                    sql::put(tx, tenant, &row)?;
                    tx.audit("replay.cancel", id)?;
                }
                Ok(sql::get(tx, tenant, id)?.view)
            })
            .await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ReplayId>,
) -> web::Result<web::Json<Replay>> {
    Ok(web::Json(webhooks.cancel_replay(&caller, id).await?))
}
