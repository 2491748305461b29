//! `webhooks.replace` (PUT): every setting anew; the secret stays, and the state if `enabled` is absent.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, DestinationId, Permission, Result};

use super::settings::Settings;
use super::{Webhook, WebhookInput, WebhookPath};
use crate::{Webhooks, pattern};

impl Webhooks {
    /// Replaces a webhook's settings. A custom header whose value is the mask that we show keeps its value.
    ///
    /// Errors: as for making one; 404; 409 `changed_meanwhile`.
    pub async fn replace(self: &Arc<Self>, caller: &Caller, path: WebhookPath, input: WebhookInput) -> Result<Webhook> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let enabled = input.enabled;
        let input = WebhookInput { events: pattern::named(input.events, &self.blueprint), ..input };
        let edit = move |old: Settings| {
            let mut settings = Settings::of_input(input.clone())?;
            settings.target = settings.target.unmasked(&old.target);
            Ok(settings)
        };
        self.edit(scope, path, enabled, Arc::new(edit)).await
    }
}

pub(crate) async fn nested(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Json(input): web::Json<WebhookInput>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.replace(&caller, WebhookPath::nested(&client, id)?, input).await?))
}

pub(crate) async fn flat(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Json(input): web::Json<WebhookInput>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.replace(&caller, id.into(), input).await?))
}
