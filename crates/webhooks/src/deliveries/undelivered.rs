//! `deliveries.undelivered`: what a customer did not get, and why.

use std::sync::Arc;

use axum::extract::State;
use dispatch::deliveries::{DeliveryFilter, Status};
use kernel::{Caller, Cursor, Error, Page, PageRequest, Permission, Result, TenantId};
use store::Tx;

use super::{DeliveryQuery, DeliveryView, PAYLOAD_IN_LIST, with_payloads};
use crate::Webhooks;

impl Webhooks {
    /// What failed or was skipped, the newest first. (A pair that a filter turned away is no delivery: the event names it.) By cursor only.
    pub async fn undelivered(&self, caller: &Caller, query: DeliveryQuery, page: PageRequest) -> Result<Page<DeliveryView>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        if page.page.is_some() {
            return Err(Error::field("/page", "this list goes on by cursor only"));
        }
        if query.status.is_some_and(|status| !matches!(status, Status::Failed | Status::Skipped)) {
            return Err(Error::field("/status", "must be failed or skipped"));
        }
        self.store.read(scope, move |tx| select(tx, tenant, query, &page)).await
    }
}

/// The two states are asked for one after the other and merged: each is a walk along an index.
fn select(tx: &mut Tx<'_>, tenant: TenantId, query: DeliveryQuery, page: &PageRequest) -> Result<Page<DeliveryView>> {
    let wanted = query.status;
    let mut filter = DeliveryFilter::from(query);
    let mut rows = Vec::new();
    // One more than asked for tells whether the list goes on.
    let ask = PageRequest { limit: page.limit + 1, ..page.clone() };
    for status in [Status::Failed, Status::Skipped] {
        if wanted.is_none_or(|wanted| wanted == status) {
            filter.status = Some(status);
            rows.extend(dispatch::deliveries::list(tx, tenant, &filter, &ask)?.data);
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    let found = Page::from_rows(rows, page, None, |row| Cursor { key: row.created_at.millis(), id: row.id.to_string() });
    Ok(Page { data: with_payloads(tx, tenant, found.data, PAYLOAD_IN_LIST)?, pagination: found.pagination })
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<DeliveryQuery>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<DeliveryView>>> {
    Ok(web::Json(webhooks.undelivered(&caller, query, page).await?))
}
