//! `webhooks.list`: a client's webhooks, the newest first.

use std::sync::Arc;

use axum::extract::State;
use dispatch::destinations;
use kernel::{Caller, ClientId, Cursor, IdRef, Page, PageRequest, Permission, Result, TenantId};
use store::Tx;

use super::{Webhook, sql};
use crate::Webhooks;

/// Later than every id of a webhook.
const LAST: &str = "wh_~";

impl Webhooks {
    /// A part of a client's webhooks. Error: 404 for another's client.
    pub async fn list(&self, caller: &Caller, client: IdRef<ClientId>, page: PageRequest) -> Result<Page<Webhook>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| select(tx, tenant, &client, &page)).await
    }
}

fn select(tx: &mut Tx<'_>, tenant: TenantId, client: &IdRef<ClientId>, page: &PageRequest) -> Result<Page<Webhook>> {
    let client = access::clients::resolve(tx, tenant, client)?;
    let before = page.cursor.as_ref().map_or(LAST, |cursor| &cursor.id);
    let rows = sql::list(tx, tenant, client, before, page.limit + 1, page.offset())?;
    let mut webhooks = Vec::with_capacity(rows.len());
    for row in rows {
        webhooks.push(Webhook::of(&row, &destinations::get(tx, tenant, row.id)?)?);
    }
    let total = sql::count(tx, tenant, client)?;
    Ok(Page::from_rows(webhooks, page, Some(total), |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() }))
}

pub(crate) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(client): web::Path<IdRef<ClientId>>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Webhook>>> {
    Ok(web::Json(webhooks.list(&caller, client, page).await?))
}
