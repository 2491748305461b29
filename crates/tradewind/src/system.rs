//! Wiring: every feature, in the order of the levels, and the explicit lists in which they meet.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::service_keys::NewServiceKey;
use axum::Router;
use blueprint::Blueprint;
use dispatch::http::HttpChannel;
use dispatch::{Channel, Dispatch, DispatchLifecycle};
use events::{ClientExists, Events};
use gate::{Gate, Options};
use kernel::{Ambient, IdRef, Secret};
use records::Records;
use rest::DocsConfig;
use serde_json::Value;
use store::{Config, Lifecycle, Migration, Store};
use usage::Usage;
use web::Api;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use webhooks::{Webhooks, WebhooksLifecycle};

use crate::health;
use crate::settings::{Environment, Resolved};

/// A whole server, short of its sockets.
pub(crate) struct System {
    pub(crate) store: Store,
    /// Everything that is served.
    pub(crate) router: Router,
    /// What `/docs/openapi.json` answers.
    pub(crate) openapi: Arc<Value>,
    access: Arc<Access>,
    dispatch: Arc<Dispatch>,
    usage: Arc<Usage>,
}

/// Every feature's tables, in the order of the levels.
fn migrations() -> Vec<Migration> {
    [events::MIGRATIONS, access::MIGRATIONS, dispatch::MIGRATIONS, records::MIGRATIONS, usage::MIGRATIONS, webhooks::MIGRATIONS].concat()
}

/// Opens the database, bringing it up to date. `exclusive` for a server, which must be the only one on its SQLite files.
pub(crate) async fn open_store(settings: &Resolved, ambient: &Ambient, exclusive: bool) -> anyhow::Result<Store> {
    let mut config = Config::new(settings.database()?, settings.master_key(ambient)?, ambient.clone(), migrations());
    config.exclusive = exclusive;
    Ok(Store::open(config).await?)
}

impl System {
    /// Builds everything; nothing is delivered before [`System::start`].
    pub(crate) async fn build(settings: &Resolved, ambient: Ambient) -> anyhow::Result<Self> {
        let blueprint = Arc::new(blueprint::load(&settings.blueprint)?);
        let store = open_store(settings, &ambient, true).await?;
        let outbound = outbound(settings)?;
        let channel: Arc<dyn Channel> = Arc::new(HttpChannel::new(outbound.clone(), &blueprint.webhooks)?);
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), vec![channel], dispatch::Options::default()).await?;
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, client_exists())?;
        let webhooks = Webhooks::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Arc::clone(&dispatch), outbound).await?;
        events.set_planner(webhooks.clone());
        events.set_tenants(Arc::new(access::tenants::exists));
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events))?;
        records.prepare().await?;
        // In the order in which things go: what refers to others first.
        let lifecycles: Vec<Arc<dyn Lifecycle>> = vec![
            Arc::new(WebhooksLifecycle(Arc::clone(&webhooks))),
            DispatchLifecycle::new(store.clone()),
            records.clone(),
            events.clone(),
        ];
        let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), lifecycles).await?;
        let usage = Usage::start(&store);
        let options = Options { reset: blueprint.style.reset, bypass_ip_allowlist: settings.ip_allowlist_bypass };
        let gate = Gate::new(store.clone(), ambient.clone(), Arc::clone(&access), Arc::clone(&usage), options);
        let api = Api::new()
            .ambient(ambient)
            .merge(health::routes(store.clone()))
            .merge(access.routes())
            .merge(events.routes())
            .merge(webhooks.routes())
            .merge(usage.routes())
            .merge(rest::generic(&records))
            .merge(rest::declared(&records, &blueprint))
            .merge(rest::home(&blueprint));
        let (api, openapi) = with_docs(api, &blueprint, settings);
        let router = api.into_router(|endpoint, route| gate.guard(endpoint, route));
        Ok(Self { store, router, openapi, access, dispatch, usage })
    }

    /// Begins to deliver.
    pub(crate) async fn start(&self) -> anyhow::Result<()> {
        Ok(self.dispatch.start().await?)
    }

    /// Finishes what is under way and writes what is only in memory. To be called when no request comes in any more.
    pub(crate) async fn drain(&self, deadline: Duration) {
        self.dispatch.drain(deadline).await;
        self.usage.flush().await;
        if let Err(error) = self.access.flush().await {
            tracing::warn!(?error, "the last uses of keys could not be written");
        }
    }

    /// A new service key for the operator.
    #[cfg(feature = "demo")]
    pub(crate) async fn service_key(&self, name: &str) -> anyhow::Result<Secret<String>> {
        let input = NewServiceKey { name: Some(name.to_owned()), ..NewServiceKey::default() };
        Ok(access::service_keys::create(&self.store, input).await?.key)
    }
}

fn outbound(settings: &Resolved) -> anyhow::Result<Client> {
    let policy = UrlPolicy { allow_http: settings.env == Environment::Development, allow_networks: settings.allow_networks.clone() };
    Ok(Client::new(ClientConfig::new(policy))?)
}

/// Clients belong to `access`, which is above `events`.
fn client_exists() -> ClientExists {
    Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    })
}

/// Adds the documentation of everything before it.
fn with_docs(api: Api, blueprint: &Blueprint, settings: &Resolved) -> (Api, Arc<Value>) {
    let config = DocsConfig { public_url: settings.public_url.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let endpoints = api.endpoints();
    let document = Arc::new(rest::openapi(blueprint, &endpoints, &config));
    (api.merge(rest::docs(blueprint, &endpoints, &config)), document)
}
