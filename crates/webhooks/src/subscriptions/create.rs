//! `webhooks.create`.

use std::sync::Arc;

use axum::extract::State as Shared;
use dispatch::State;
use dispatch::destinations::{self, NewDestination};
use dispatch::signing_keys;
use futures_util::FutureExt as _;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result, TenantId};
use serde_json::Value;
use store::Tx;
use web::signature::WebhookSecret;

use super::destination;
use super::settings::Settings;
use super::target::explain;
use super::{MAX_PER_CLIENT, Row, Webhook, WebhookInput, sql};
use crate::{TOPIC, Webhooks, pattern};

/// What is made, once everything about it has been checked.
struct New {
    settings: Settings,
    config: Value,
    secret: WebhookSecret,
    enabled: bool,
}

impl Webhooks {
    /// Makes a webhook for a client. Its secret is in this answer only.
    ///
    /// Errors: 403 `insufficient_scope`; 404 for another's client; 409 `too_many_webhooks`; 422 `validation_failed`, `unknown_event_type`,
    /// `url_refused`, `invalid_transform`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, client: IdRef<ClientId>, input: WebhookInput) -> Result<Webhook> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let enabled = input.enabled.unwrap_or(true);
        let input = WebhookInput { events: pattern::named(input.events, &self.blueprint), ..input };
        let settings = Settings::of_input(input)?;
        settings.check(&self.blueprint)?;
        let secret = WebhookSecret::generate(&self.ambient);
        let config = self.checked(settings.target.to_config(&secret, self.ambient.now())?).await?;
        let (webhooks, new) = (Arc::clone(self), New { settings, config, secret, enabled });
        self.store
            .answer(scope, move |tx| {
                let client = access::clients::resolve(tx, tenant, &client)?;
                webhooks.insert(tx, tenant, client, new)
            })
            .await
    }

    fn insert(self: &Arc<Self>, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, new: New) -> Result<Webhook> {
        if sql::count(tx, tenant, client)? >= MAX_PER_CLIENT {
            return Err(Error::conflict("too_many_webhooks", format!("A client has at most {MAX_PER_CLIENT} webhooks.")));
        }
        let now = tx.now();
        let state = if new.enabled { State::Enabled } else { State::Disabled };
        let mut row = Row {
            id: tx.ambient().id(),
            client,
            name: None,
            description: None,
            events: Vec::new(),
            channels: Vec::new(),
            filter: None,
            retry_config: None,
            ordering_path: None,
            state,
            created_at: now,
            updated_at: now,
        };
        new.settings.put_into(&mut row);
        pattern::visible(tx, tenant, &self.blueprint, &row.events, &[])?;
        sql::insert(tx, tenant, &row)?;
        if new.settings.target.signature.is_asymmetric() {
            signing_keys::ensure(tx, tenant)?;
        }
        let policy = new.settings.policy(&self.blueprint);
        let made = NewDestination {
            id: row.id,
            tenant,
            client,
            channel: destination::channel_of(&new.config).to_owned(),
            config: new.config,
            policy,
        };
        let mut destination = destinations::create(tx, made)?;
        if state == State::Disabled {
            destinations::set_state(tx, tenant, row.id, state, Some("requested"))?;
            destination = destinations::get(tx, tenant, row.id)?;
        }
        let mut webhook = Webhook::of(&row, &destination)?;
        tx.audit_change("subscription.create", row.id, &(), &webhook)?;
        self.changed(tx, tenant, &row)?;
        webhook.secret = Some(new.secret.text().reveal().clone());
        Ok(webhook)
    }

    /// The channel's verdict on a configuration, and the configuration as it is to be stored. Errors: 422 `url_refused` and others.
    pub(crate) async fn checked(&self, config: Value) -> Result<Value> {
        let kind = destination::channel_of(&config);
        let unknown = |_| Error::field("/destination/type", "must be a kind of destination that this server has; see docs/destinations.md");
        let channel = if kind == self.channel.name() { Arc::clone(&self.channel) } else { self.dispatch.channel(kind).map_err(unknown)? };
        channel.check(&config).await.map_err(explain)
    }

    fn judge_without_look_up(&self, url: &str) -> Result<()> {
        let refused = |refusal: web::outbound::Refusal| {
            let error = explain(refusal.into_error("/webhookUrl"));
            Err(error)
        };
        match self.outbound.verdict_on_syntax(url) {
            Err(refusal) => refused(refusal),
            // An address needs no look-up, so the verdict is there at once.
            Ok(read) if read.host_str().is_some_and(is_address) => match self.outbound.verdict(url).now_or_never() {
                Some(Err(refusal)) => refused(refusal),
                _ => Ok(()),
            },
            Ok(_) => Ok(()),
        }
    }

    /// After the commit, the index is as `row` says: here at once, elsewhere by the notice.
    pub(crate) fn changed(self: &Arc<Self>, tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
        let listener = (row.state != State::Disabled).then(|| crate::index::Listener::of(row)).transpose()?;
        let (webhooks, id) = (Arc::clone(self), row.id);
        tx.after_commit(move || webhooks.index.put(tenant, id, listener));
        tx.notify(TOPIC, id);
        Ok(())
    }
}

fn is_address(host: &str) -> bool {
    host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok()
}

/// A subscription to everything for a client that was made with an address for its events. What needs no look-up is judged here, inside the
/// client's transaction; where a name leads is judged at every attempt. Error: 422 `url_refused`, at `/webhookUrl`.
pub(crate) fn subscribe(webhooks: &Arc<Webhooks>, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, url: String) -> Result<()> {
    webhooks.judge_without_look_up(&url)?;
    let settings = Settings::of_input(WebhookInput {
        url: Some(url),
        destination: None,
        events: vec!["*".to_owned()],
        name: None,
        description: None,
        filter: None,
        transform: None,
        content: None,
        channels: None,
        auth: None,
        signature: None,
        ca_certificate: None,
        http_method: None,
        custom_headers: None,
        retry_config: None,
        rate_limit_per_second: None,
        ordered: None,
        ordering_key_path: None,
        expires_after_seconds: None,
        enabled: None,
    })?;
    let secret = WebhookSecret::generate(&webhooks.ambient);
    let config = settings.target.to_config(&secret, tx.now())?;
    webhooks.insert(tx, tenant, client, New { settings, config, secret, enabled: true }).map(|_| ())
}

pub(crate) async fn handle(
    Shared(webhooks): Shared<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Path(client): web::Path<IdRef<ClientId>>,
    web::Json(input): web::Json<WebhookInput>,
) -> web::Result<web::Created<Webhook>> {
    let body = webhooks.create(&caller, client, input).await?;
    Ok(web::Created { location: format!("/api/v1/webhooks/{}", body.id), body })
}
