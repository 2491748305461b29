//! `sources.quarantine.list`: the newest first.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Cursor, Page, PageRequest, Permission, Result, SourceId, TenantId};
use store::Tx;

use super::{KEPT_FOR, QuarantinedCall, sql};
use crate::Sources;
use crate::sources::get_row;

/// Later than every id of a call.
const LAST: &str = "cal_~";

impl Sources {
    /// A part of a source's quarantine, without bodies. Error: 404.
    pub async fn quarantined(&self, caller: &Caller, source: SourceId, page: PageRequest) -> Result<Page<QuarantinedCall>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| select(tx, tenant, source, &page)).await
    }
}

fn select(tx: &mut Tx<'_>, tenant: TenantId, source: SourceId, page: &PageRequest) -> Result<Page<QuarantinedCall>> {
    get_row(tx, tenant, source)?;
    let oldest = tx.now().minus(KEPT_FOR);
    let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
    let rows = sql::list(tx, tenant, source, oldest, before, page.limit + 1, page.offset())?;
    let total = sql::count(tx, tenant, source, oldest)?;
    let views = rows.iter().map(QuarantinedCall::of).collect();
    Ok(Page::from_rows(views, page, Some(total), |row| Cursor { key: row.received_at.millis(), id: row.id.to_string() }))
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(source): web::Path<SourceId>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<QuarantinedCall>>> {
    Ok(web::Json(sources.quarantined(&caller, source, page).await?))
}
