//! `webhooks.enable`, `disable`, `pause`, `resume`.

use std::sync::Arc;

use axum::extract::State as Shared;
use dispatch::{State, destinations};
use kernel::{Caller, DestinationId, Error, Permission, Result};
use serde_json::json;

use super::{Webhook, WebhookPath, sql};
use crate::Webhooks;

/// What is to become of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It gets deliveries again.
    Enable,
    /// It gets none; what is pending is skipped.
    Disable,
    /// It gets them later.
    Pause,
    /// A paused one gets what waited.
    Resume,
}

impl Change {
    /// Its name in paths, operation ids and the audit log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// The state after it. Errors: 409 `webhook_disabled`, since pause and resume do not enable.
    fn apply(self, now: State) -> Result<State> {
        match (self, now) {
            (Self::Enable, _) => Ok(State::Enabled),
            (Self::Disable, _) => Ok(State::Disabled),
            (Self::Pause | Self::Resume, State::Disabled) => {
                Err(Error::conflict("webhook_disabled", "This webhook is disabled. Enable it first."))
            }
            (Self::Pause, _) => Ok(State::Paused),
            (Self::Resume, _) => Ok(State::Enabled),
        }
    }
}

impl Webhooks {
    /// Enables, disables, pauses or resumes a webhook; doing so again changes nothing. Errors: 404, 409 `webhook_disabled`.
    pub async fn set_state(self: &Arc<Self>, caller: &Caller, path: WebhookPath, change: Change) -> Result<Webhook> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let webhooks = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let mut row = path.find(tx, tenant)?;
                let before = destinations::get(tx, tenant, row.id)?.state;
                let state = change.apply(before)?;
                if state != before {
                    destinations::set_state(tx, tenant, row.id, state, Some("requested"))?;
                }
                sql::set_state(tx, tenant, row.id, state)?;
                row.state = state;
                tx.audit_change(&format!("subscription.{}", change.name()), row.id, &json!({"status": before}), &json!({"status": state}))?;
                webhooks.changed(tx, tenant, &row)?;
                Webhook::of(&row, &destinations::get(tx, tenant, row.id)?)
            })
            .await
    }
}

type With = (Arc<Webhooks>, Change);

pub(crate) async fn nested(
    Shared((webhooks, change)): Shared<With>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.set_state(&caller, WebhookPath::nested(&client, id)?, change).await?))
}

pub(crate) async fn flat(
    Shared((webhooks, change)): Shared<With>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.set_state(&caller, id.into(), change).await?))
}
