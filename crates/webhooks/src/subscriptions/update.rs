//! `webhooks.update` (PATCH), and what it shares with `webhooks.replace` (PUT).

use std::sync::Arc;

use axum::extract::State as Shared;
use dispatch::destinations::{self, DestinationUpdate};
use dispatch::{Destination, State, signing_keys};
use kernel::{Caller, DestinationId, Error, Permission, Result, TenantId, TenantScope};
use store::Tx;

use super::destination::check_kind;
use super::settings::Settings;
use super::target::Target;
use super::{Row, Webhook, WebhookPatch, WebhookPath, sql};
use crate::{Webhooks, pattern};

/// What becomes of the settings: pure, since it is asked twice, before and inside the writing transaction.
pub(super) type Edit = dyn Fn(Settings) -> Result<Settings> + Send + Sync;

impl Webhooks {
    /// Changes a webhook; attempts that begin afterwards see it.
    ///
    /// Errors: as for making one; 404; 409 `changed_meanwhile`.
    pub async fn update(self: &Arc<Self>, caller: &Caller, path: WebhookPath, patch: WebhookPatch) -> Result<Webhook> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let enabled = patch.enabled;
        let events = patch.events.map(|events| pattern::named(events, &self.blueprint));
        let patch = WebhookPatch { events, ..patch };
        self.edit(scope, path, enabled, Arc::new(move |settings| settings.patched(patch.clone()))).await
    }

    pub(super) async fn edit(
        self: &Arc<Self>,
        scope: TenantScope,
        path: WebhookPath,
        enabled: Option<bool>,
        edit: Arc<Edit>,
    ) -> Result<Webhook> {
        let tenant = scope.tenant();
        let looked = (path.clone(), Arc::clone(&edit));
        let (settings, destination) =
            self.store.read(scope.clone(), move |tx| load(tx, tenant, &looked.0, looked.1.as_ref()).map(|(_, s, d)| (s, d))).await?;
        settings.check(&self.blueprint)?;
        let config = settings.target.over(&destination.config)?;
        check_kind(&destination.config, &config)?;
        let config = self.checked(config).await?;
        let (webhooks, checked) = (Arc::clone(self), settings.target);
        self.store
            .answer(scope, move |tx| {
                let (mut row, settings, destination) = load(tx, tenant, &path, edit.as_ref())?;
                // Another author may have been here since: the verdict was on what this author saw.
                if settings.target != checked || !Target::same_secrets(&config, &destination.config) {
                    return Err(changed_meanwhile());
                }
                settings.check(&webhooks.blueprint)?;
                let (was, before) = (Webhook::of(&row, &destination)?, row.events.clone());
                settings.put_into(&mut row);
                pattern::visible(tx, tenant, &webhooks.blueprint, &row.events, &before)?;
                row.updated_at = tx.now();
                sql::update(tx, tenant, &row)?;
                if settings.target.signature.is_asymmetric() {
                    signing_keys::ensure(tx, tenant)?;
                }
                let change = DestinationUpdate { config: Some(config), policy: Some(settings.policy(&webhooks.blueprint)) };
                let destination = destinations::update(tx, tenant, row.id, change)?;
                webhooks.finish(tx, tenant, row, destination, enabled, &was)
            })
            .await
    }

    fn finish(
        self: &Arc<Self>,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        mut row: Row,
        mut destination: Destination,
        enabled: Option<bool>,
        was: &Webhook,
    ) -> Result<Webhook> {
        let wanted = match (enabled, destination.state) {
            (Some(false), State::Enabled | State::Paused) => Some(State::Disabled),
            (Some(true), State::Disabled) => Some(State::Enabled),
            _ => None,
        };
        if let Some(state) = wanted {
            destinations::set_state(tx, tenant, row.id, state, Some("requested"))?;
            destination = destinations::get(tx, tenant, row.id)?;
        }
        row.state = destination.state;
        sql::set_state(tx, tenant, row.id, row.state)?;
        let webhook = Webhook::of(&row, &destination)?;
        tx.audit_change("subscription.update", row.id, was, &webhook)?;
        self.changed(tx, tenant, &row)?;
        Ok(webhook)
    }
}

fn load(tx: &mut Tx<'_>, tenant: TenantId, path: &WebhookPath, edit: &Edit) -> Result<(Row, Settings, Destination)> {
    let row = path.find(tx, tenant)?;
    let destination = destinations::get(tx, tenant, row.id)?;
    let settings = edit(Settings::of_stored(&row, &destination)?)?;
    Ok((row, settings, destination))
}

pub(super) fn changed_meanwhile() -> Error {
    Error::conflict("changed_meanwhile", "Somebody else changed this webhook at the same moment. Look at it and try again.")
}

pub(crate) async fn nested(
    Shared(webhooks): Shared<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path2(client, id): web::Path2<String, DestinationId>,
    web::Json(patch): web::Json<WebhookPatch>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.update(&caller, WebhookPath::nested(&client, id)?, patch).await?))
}

pub(crate) async fn flat(
    Shared(webhooks): Shared<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<DestinationId>,
    web::Json(patch): web::Json<WebhookPatch>,
) -> web::Result<web::Json<Webhook>> {
    Ok(web::Json(webhooks.update(&caller, id.into(), patch).await?))
}
