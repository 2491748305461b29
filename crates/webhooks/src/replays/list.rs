//! `replays.list`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result};

use super::{Replay, sql};
use crate::Webhooks;

/// Later than every id of a run.
const LAST: &str = "rpl_~";

impl Webhooks {
    /// The tenant's runs, the newest first.
    pub async fn replays(&self, caller: &Caller, page: PageRequest) -> Result<Page<Replay>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store
            .read(scope, move |tx| {
                let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
                let rows = sql::list(tx, tenant, before, page.limit + 1, page.offset())?;
                Ok(Page::from_rows(rows, &page, None, |run| Cursor { key: 0, id: run.id.to_string() }))
            })
            .await
    }
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Replay>>> {
    Ok(web::Json(webhooks.replays(&caller, page).await?))
}
