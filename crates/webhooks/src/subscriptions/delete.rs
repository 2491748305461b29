//! `webhooks.delete`.

use std::sync::Arc;

use axum::extract::State;
use dispatch::destinations;
use kernel::{Caller, DestinationId, Permission, Result, TenantId};
use store::Tx;

use super::{Webhook, WebhookPath, sql};
use crate::{TOPIC, Webhooks};

impl Webhooks {
    /// Deletes a webhook. What is pending for it is removed; what is finished stays in the log. Error: 404.
    pub async fn delete(self: &Arc<Self>, caller: &Caller, path: WebhookPath) -> Result<()> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let webhooks = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let row = path.find(tx, tenant)?;
                let was = Webhook::of(&row, &destinations::get(tx, tenant, row.id)?)?;
                destinations::delete(tx, tenant, row.id)?;
                webhooks.forget(tx, tenant, row.id)?;
                tx.audit_change("subscription.delete", row.id, &was, &())
            })
            .await
    }

    /// Removes a subscription, and takes it out of the index after the commit.
    pub(crate) fn forget(self: &Arc<Self>, tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<()> {
        sql::delete(tx, tenant, id)?;
        crate::operational::forget(tx, tenant, id)?;
        let webhooks = Arc::clone(self);
        tx.after_commit(move || webhooks.index.put(tenant, id, None));
        tx.notify(TOPIC, id);
        Ok(())
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
) -> web::Result<web::NoContent> {
    webhooks.delete(&caller, WebhookPath::nested(&client, id)?).await?;
    Ok(web::NoContent)
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
) -> web::Result<web::NoContent> {
    webhooks.delete(&caller, id.into()).await?;
    Ok(web::NoContent)
}
