//! Wiring: every feature, in the order of the levels, and the explicit lists in which they meet.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::service_keys::NewServiceKey;
use axum::Router;
use blueprint::Blueprint;
use dispatch::acceptances::Acceptances;
use dispatch::http::HttpChannel;
use dispatch::signing_keys::SigningKeys;
use dispatch::{Channel, Dispatch, DispatchLifecycle};
use events::{ClientExists, Events};
use gate::{Gate, Options};
use kernel::{Ambient, IdRef, Secret};
use records::Records;
use rest::DocsConfig;
use retention::{Directory, Retention, Sink};
use serde_json::Value;
use sources::Sources;
use store::{Config, Lifecycle, MasterKey, Migration, Store};
use usage::Usage;
use web::Api;
use webhooks::{OperationalEvents, Webhooks, WebhooksLifecycle};

use crate::cli::SCRIPT_WORKER;
use crate::health;
use crate::settings::Resolved;

/// A whole server, short of its sockets.
pub(crate) struct System {
    pub(crate) store: Store,
    /// Everything that is served.
    pub(crate) router: Router,
    /// What `/docs/openapi.json` answers.
    pub(crate) openapi: Arc<Value>,
    access: Arc<Access>,
    dispatch: Arc<Dispatch>,
    events: Arc<Events>,
    acceptances: Arc<Acceptances>,
    usage: Arc<Usage>,
    retention: Arc<Retention>,
}

/// Every feature's tables, in the order of the levels.
fn migrations() -> Vec<Migration> {
    [
        events::MIGRATIONS,
        access::MIGRATIONS,
        dispatch::MIGRATIONS,
        records::MIGRATIONS,
        usage::MIGRATIONS,
        webhooks::MIGRATIONS,
        sources::MIGRATIONS,
        retention::MIGRATIONS,
    ]
    .concat()
}

/// Opens the database, bringing it up to date. `exclusive` for a server, which must be the only one on its SQLite files.
pub(crate) async fn open_store(settings: &Resolved, ambient: &Ambient, exclusive: bool) -> anyhow::Result<Store> {
    let mut config = Config::new(settings.database()?, settings.master_key(ambient)?, ambient.clone(), migrations());
    config.exclusive = exclusive;
    Ok(Store::open(config).await?)
}

/// Opens a database that is there, without bringing any feature's tables up to date.
pub(crate) async fn open_as_it_is(settings: &Resolved, key: MasterKey) -> anyhow::Result<Store> {
    let mut config = Config::new(settings.database()?, key, Ambient::system(), Vec::new());
    config.exclusive = false;
    Ok(Store::open(config).await?)
}

impl System {
    /// Builds everything; nothing is delivered before [`System::start`].
    pub(crate) async fn build(settings: &Resolved, ambient: Ambient) -> anyhow::Result<Self> {
        let blueprint = Arc::new(blueprint::load(&settings.blueprint)?);
        let store = open_store(settings, &ambient, true).await?;
        let outbound = settings.outbound()?;
        let (keys, acceptances) = (SigningKeys::new(&store), Acceptances::new(&store));
        let http = HttpChannel::new(outbound.clone(), &blueprint.webhooks)?.with_signing(keys, Arc::clone(&acceptances));
        let http = http.with_scripts(scripts()).with_public_url(&blueprint.webhooks, &settings.public_url);
        let mut all: Vec<Arc<dyn Channel>> = vec![Arc::new(http)];
        all.extend(channels::all(&outbound, &ambient, &blueprint.webhooks, channels::Options::default()));
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), all, dispatch::Options::default()).await?;
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, client_exists())?;
        let webhooks = Webhooks::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Arc::clone(&dispatch), outbound).await?;
        events.set_planner(webhooks.clone());
        dispatch.set_observer(OperationalEvents::new(&events));
        events.set_sequence(Arc::new(ops::WebhookSequence));
        events.prepare().await?;
        events.set_tenants(Arc::new(access::tenants::exists));
        events.set_features(Arc::new(access::tenants::features));
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events))?;
        records.prepare().await?;
        let sources = Sources::new(store.clone(), ambient.clone(), Arc::clone(&events), &settings.public_url);
        // In the order in which things go: what refers to others first.
        let lifecycles: Vec<Arc<dyn Lifecycle>> = vec![
            Arc::new(WebhooksLifecycle(Arc::clone(&webhooks))),
            DispatchLifecycle::new(store.clone()),
            records.clone(),
            sources.clone(),
            events.clone(),
        ];
        let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), lifecycles).await?;
        let usage = Usage::start(&store);
        let sink = settings.retention_export_dir.as_ref().map(|dir| -> Arc<dyn Sink> { Arc::new(Directory::new(dir)) });
        let retention = Retention::new(store.clone(), ambient.clone(), Arc::clone(&dispatch), settings.lifetimes, sink);
        let options = Options { reset: blueprint.style.reset, bypass_ip_allowlist: settings.ip_allowlist_bypass };
        let gate = Gate::new(store.clone(), ambient.clone(), Arc::clone(&access), Arc::clone(&usage), options);
        let api = Api::new()
            .ambient(ambient)
            .merge(health::routes(store.clone()))
            .merge(access.routes())
            .merge(events.routes())
            .merge(webhooks.routes())
            .merge(sources.routes())
            .merge(ops::routes(&blueprint))
            .merge(usage.routes())
            .merge(retention.routes())
            .merge(rest::generic(&records))
            .merge(rest::declared(&records, &blueprint))
            .merge(rest::home(&blueprint));
        let (api, openapi) = with_docs(api, &blueprint, settings);
        let router = api.into_router(|endpoint, route| gate.guard(endpoint, route));
        Ok(Self { store, router, openapi, access, dispatch, events, acceptances, usage, retention })
    }

    /// Begins to deliver, and to let go of what is old.
    pub(crate) async fn start(&self) -> anyhow::Result<()> {
        self.dispatch.start().await?;
        self.retention.start();
        Ok(())
    }

    /// Ends streams of events and polls that wait: a server that stops does not wait for them.
    pub(crate) fn close_readers(&self) {
        self.events.close_readers();
    }

    /// Finishes what is under way and writes what is only in memory. To be called when no request comes in any more.
    pub(crate) async fn drain(&self, deadline: Duration) {
        self.dispatch.drain(deadline).await;
        if let Err(error) = self.acceptances.flush().await {
            tracing::warn!(?error, "which signatures receivers accepted last could not be written");
        }
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

/// Tenants' functions run in processes of this program: at least four, so that a few that have to be ended leave others free.
fn scripts() -> script::Engine {
    // On Linux this names the running program even after its file was replaced by a newer one.
    let linux = std::path::PathBuf::from("/proc/self/exe");
    let program = if linux.exists() { linux } else { std::env::current_exe().unwrap_or_else(|_| "tradewind".into()) };
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    script::Engine::processes(program, vec![SCRIPT_WORKER.to_owned()], processors.max(4))
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
