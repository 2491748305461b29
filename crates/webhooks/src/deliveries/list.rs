//! `deliveries.list`, and the same for one webhook.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, DestinationId, Page, PageRequest, Permission, Result, TenantId};
use store::Tx;

use super::{DeliveryQuery, DeliveryView, PAYLOAD_IN_LIST, with_payloads};
use crate::{WebhookPath, Webhooks};

impl Webhooks {
    /// A part of the tenant's deliveries, the newest first; of one webhook, if `path` names it. Error: 404 for another's webhook.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        path: Option<WebhookPath>,
        query: DeliveryQuery,
        page: PageRequest,
    ) -> Result<Page<DeliveryView>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| select(tx, tenant, path.as_ref(), query, &page)).await
    }
}

fn select(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    path: Option<&WebhookPath>,
    mut query: DeliveryQuery,
    page: &PageRequest,
) -> Result<Page<DeliveryView>> {
    if let Some(path) = path {
        query.webhook_id = Some(path.find(tx, tenant)?.id);
    }
    let found = dispatch::deliveries::list(tx, tenant, &query.into(), page)?;
    Ok(Page { data: with_payloads(tx, tenant, found.data, PAYLOAD_IN_LIST)?, pagination: found.pagination })
}

type Answer = web::Result<web::Json<Page<DeliveryView>>>;

pub(super) async fn all(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<DeliveryQuery>,
    web::Paging(page): web::Paging,
) -> Answer {
    Ok(web::Json(webhooks.deliveries(&caller, None, query, page).await?))
}

pub(super) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Query(query): web::Query<DeliveryQuery>,
    web::Paging(page): web::Paging,
) -> Answer {
    let path = WebhookPath::nested(&client, id)?;
    Ok(web::Json(webhooks.deliveries(&caller, Some(path), query, page).await?))
}

pub(super) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Query(query): web::Query<DeliveryQuery>,
    web::Paging(page): web::Paging,
) -> Answer {
    Ok(web::Json(webhooks.deliveries(&caller, Some(id.into()), query, page).await?))
}
