//! Wiring: what lives as long as the process, in the order of the levels, and the explicit lists in which features meet. What is made of the
//! blueprint is in [`crate::front`].

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::dpop::Dpop;
use access::service_keys::NewServiceKey;
use arc_swap::ArcSwapOption;
use blueprint::Blueprint;
use dashboards::health::Health;
use dispatch::acceptances::Acceptances;
use dispatch::http::HttpChannel;
use dispatch::signing_keys::SigningKeys;
use dispatch::{Channel, Dispatch, Ended, Observer, Turn};
use gate::Counters;
use kernel::{Ambient, DestinationId, EventType, Secret, TenantId};
use listener::Live;
use products::{Products, Text};
use retention::{Directory, Elsewhere, Retention, Sink};
use serde_json::Value;
use signals::Signals;
use store::{Config, MasterKey, Migration, Store, Tx};
use switches::Switches;
use telemetry::Traces;
use usage::Usage;
use web::outbound::Client;
use webhooks::OperationalEvents;

use crate::archive;
use crate::authorization::SWEEP;
use crate::front::Front;
use crate::product;
use crate::settings::Resolved;
use crate::subjects::AccessSubjects;
use crate::traced::Traced;

/// The command by which this program runs tenants' functions ([`script::work`]).
pub const SCRIPT_WORKER: &str = "script-worker";

/// How often is looked after tokens at vendors that nobody uses.
const KEEPING: Duration = Duration::from_secs(30);

/// A whole server, short of its sockets.
pub struct System {
    /// What the front stands on.
    pub base: Foundation,
    front: RwLock<Arc<Front>>,
    live: Arc<Live>,
}

/// What lives as long as the process, whatever the blueprint.
pub struct Foundation {
    /// The settings as they hold.
    pub settings: Resolved,
    /// The clock and chance.
    pub ambient: Ambient,
    /// The database.
    pub store: Store,
    /// The client by which everything leaves.
    pub outbound: Client,
    /// Where tenants' functions run.
    pub scripts: script::Engine,
    /// The delivery engine.
    pub dispatch: Arc<Dispatch>,
    /// The request log and its roll-ups.
    pub usage: Arc<Usage>,
    /// What limits count.
    pub counters: Arc<Counters>,
    /// Counts of what went wrong, for alerts.
    pub signals: Arc<Signals>,
    /// What lets go of the old.
    pub retention: Arc<Retention>,
    /// Maintenance and calls to reload.
    pub switches: Arc<Switches>,
    /// The applied versions of the blueprint.
    pub products: Products,
    /// How the parts are.
    pub health: Arc<Health>,
    /// The router that is served, for calls from inside.
    pub inside: mcp::Inside,
    acceptances: Arc<Acceptances>,
    /// What every upstream's signing secret follows from.
    pub upstream_secret: Secret<Vec<u8>>,
    /// What the secrets of calls to hosts, for jobs, follow from.
    pub job_secret: Secret<Vec<u8>>,
    /// What the tokens of forms follow from.
    pub portal_secret: Secret<Vec<u8>>,
    /// How proofs of keys are checked.
    pub dpop: Arc<Dpop>,
    observer: Arc<PresentObserver>,
}

/// The dispatcher is told once whom to tell; who that is changes with the front.
#[derive(Default)]
struct PresentObserver(ArcSwapOption<OperationalEvents>);

impl Observer for PresentObserver {
    fn lost(&self, tx: &mut Tx<'_>, lost: &[Ended]) -> kernel::Result<()> {
        self.0.load_full().map_or(Ok(()), |present| present.lost(tx, lost))
    }

    fn turned(&self, tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, turn: &Turn, cause: Option<&EventType>) -> kernel::Result<()> {
        self.0.load_full().map_or(Ok(()), |present| present.turned(tx, tenant, id, turn, cause))
    }
}

/// Every feature's tables, in the order of the levels.
fn migrations() -> Vec<Migration> {
    [
        signals::MIGRATIONS,
        products::MIGRATIONS,
        events::MIGRATIONS,
        access::MIGRATIONS,
        oauth::MIGRATIONS,
        people::MIGRATIONS,
        dispatch::MIGRATIONS,
        records::MIGRATIONS,
        jobs::MIGRATIONS,
        rest::MIGRATIONS,
        usage::MIGRATIONS,
        webhooks::MIGRATIONS,
        sources::MIGRATIONS,
        retention::MIGRATIONS,
        switches::MIGRATIONS,
        alerts::MIGRATIONS,
        gate::MIGRATIONS,
        graphql::MIGRATIONS,
        vault::MIGRATIONS,
        integrations::MIGRATIONS,
        syncs::MIGRATIONS,
    ]
    .concat()
}

/// Opens the database, bringing it up to date. `exclusive` for a server, which must be the only one on its SQLite files.
pub async fn open_store(settings: &Resolved, ambient: &Ambient, exclusive: bool) -> anyhow::Result<Store> {
    let mut config = Config::new(settings.database()?, settings.master_key(ambient)?, ambient.clone(), migrations());
    config.exclusive = exclusive;
    Ok(Store::open(config).await?)
}

/// Opens a database that is there, without bringing any feature's tables up to date.
pub async fn open_as_it_is(settings: &Resolved, key: MasterKey) -> anyhow::Result<Store> {
    let mut config = Config::new(settings.database()?, key, Ambient::system(), Vec::new());
    config.exclusive = false;
    Ok(Store::open(config).await?)
}

impl Foundation {
    async fn build(
        settings: &Resolved,
        ambient: Ambient,
        store: Store,
        blueprint: &Blueprint,
        traces: Option<Traces>,
    ) -> anyhow::Result<Self> {
        let outbound = settings.outbound()?;
        let (keys, acceptances) = (SigningKeys::new(&store), Acceptances::new(&store));
        let http = HttpChannel::new(outbound.clone(), &blueprint.webhooks)?.with_signing(keys, Arc::clone(&acceptances));
        let scripts = scripts();
        let http = http.with_scripts(scripts.clone()).with_public_url(&blueprint.webhooks, &settings.public_url);
        let mut all: Vec<Arc<dyn Channel>> = vec![Arc::new(http)];
        all.extend(channels::all(&outbound, &ambient, &blueprint.webhooks, channels::Options::default()));
        if let Some((mailer, domains)) = settings.mailer()? {
            all.push(channels::email(mailer, &domains));
        }
        if let Some(traces) = traces {
            all = all.into_iter().map(|channel| Traced::over(channel, traces.clone())).collect();
        }
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), all, dispatch::Options::default()).await?;
        let observer = Arc::new(PresentObserver::default());
        dispatch.set_observer(observer.clone());
        let (usage, signals) = (Usage::start(&store), Signals::new(&store));
        usage.set_subjects(Arc::new(AccessSubjects));
        usage.set_signals(Arc::clone(&signals));
        let sink = export(settings, &outbound, &ambient)?;
        let elsewhere = Elsewhere {
            calls: Some(sources::forget),
            records: Some(records::forget),
            purge: vec![records::purge_some],
            old: vec![webhooks::delete_old_replays, jobs::delete_old, syncs::delete_old],
        };
        let retention = Retention::with(store.clone(), ambient.clone(), Arc::clone(&dispatch), settings.lifetimes, sink, elsewhere);
        let switches = Switches::new(store.clone()).await?;
        let counters = Counters::start(&store, ambient.clone(), &settings.counters)?;
        let health = Health::new(settings.data_dir.clone(), store.clone(), Arc::clone(&dispatch), Arc::clone(&counters), migrations());
        let (settings, observer, products) = (settings.clone(), observer, product::products(&store));
        let upstream_secret = upstream::installation_secret(&store).await?;
        let job_secret = jobs::installation_secret(&store).await?;
        let portal_secret = portal::installation_secret(&store).await?;
        let dpop = Dpop::new(&store, &settings.public_url, settings.oauth.dpop_nonce).await?;
        Ok(Self {
            settings,
            ambient,
            store,
            outbound,
            scripts,
            dispatch,
            usage,
            counters,
            signals,
            retention,
            switches,
            products,
            health,
            inside: mcp::Inside::default(),
            acceptances,
            upstream_secret,
            job_secret,
            portal_secret,
            dpop,
            observer,
        })
    }
}

/// Where days are exported, if anywhere.
fn export(settings: &Resolved, outbound: &Client, ambient: &Ambient) -> anyhow::Result<Option<Arc<dyn Sink>>> {
    Ok(match (&settings.retention_export_dir, &settings.retention_export_s3) {
        (None, None) => None,
        (Some(dir), None) => Some(Arc::new(Directory::new(dir))),
        (None, Some((url, credentials))) => Some(Arc::new(archive::bucket(url, credentials, outbound.clone(), ambient.clone())?)),
        (Some(_), Some(_)) => {
            anyhow::bail!("days are exported to one place: set TRADEWIND_RETENTION_EXPORT_DIR or TRADEWIND_RETENTION_EXPORT_S3")
        }
    })
}

impl System {
    /// Builds everything; nothing is delivered before [`System::start`].
    pub async fn build(settings: &Resolved, ambient: Ambient, traces: Option<Traces>) -> anyhow::Result<Self> {
        let text = Text::read(&settings.blueprint)?;
        let store = open_store(settings, &ambient, true).await?;
        let blueprint = product::at_start(&product::products(&store), &text, &product::server_name()).await?;
        let base = Foundation::build(settings, ambient, store, &blueprint, traces).await?;
        let front = Arc::new(Front::build(&base, blueprint, None).await?);
        base.observer.0.store(Some(Arc::clone(&front.observer)));
        base.inside.set(front.router.clone());
        let live = Live::new(front.router.clone());
        Ok(Self { base, live, front: RwLock::new(front) })
    }

    /// What is served now.
    pub fn front(&self) -> Arc<Front> {
        Arc::clone(&self.front.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The router of whatever front is served.
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }

    /// Serves `front` from the next request on; answers the one before, which still answers the requests that it has.
    pub fn replace(&self, front: Arc<Front>) -> Arc<Front> {
        let mut present = self.front.write().unwrap_or_else(PoisonError::into_inner);
        front.features.upstreams.start();
        front.features.jobs.start();
        front.features.oauth.start(SWEEP);
        front.features.alerts.start(self.base.settings.alert_interval);
        front.features.vault.start(KEEPING);
        front.features.syncs.start();
        self.base.observer.0.store(Some(Arc::clone(&front.observer)));
        self.base.inside.set(front.router.clone());
        self.live.replace(front.router.clone());
        std::mem::replace(&mut *present, front)
    }

    /// What `/docs/openapi.json` answers.
    pub fn openapi(&self) -> Value {
        self.front().docs.openapi()
    }

    /// Begins to deliver, and to let go of what is old.
    pub async fn start(&self) -> anyhow::Result<()> {
        self.base.dispatch.start().await?;
        self.base.retention.start();
        self.base.signals.start();
        self.front().features.alerts.start(self.base.settings.alert_interval);
        self.front().features.upstreams.start();
        self.front().features.jobs.start();
        self.front().features.oauth.start(SWEEP);
        self.front().features.vault.start(KEEPING);
        self.front().features.syncs.start();
        self.announce_set_up().await
    }

    /// Where nobody can sign in yet, the link by which the first person makes an account: on standard error, and in no log, since whoever reads
    /// it may become that person.
    async fn announce_set_up(&self) -> anyhow::Result<()> {
        use std::io::Write as _;
        let Some(link) = people::sign_in::set_up_link(&self.base.store, &self.base.settings.public_url).await? else { return Ok(()) };
        let text = format!("\nNobody can sign in yet. Make the first account here (good once, for 24 hours):\n\n    {}\n\n", link.reveal());
        // Nobody may be reading.
        let _ = std::io::stderr().write_all(text.as_bytes());
        Ok(())
    }

    /// Ends streams of events and polls that wait: a server that stops does not wait for them.
    pub fn close_readers(&self) {
        self.front().close_readers();
    }

    /// Finishes what is under way and writes what is only in memory. To be called when no request comes in any more.
    pub async fn drain(&self, deadline: Duration) {
        self.base.dispatch.drain(deadline).await;
        if let Err(error) = self.base.acceptances.flush().await {
            tracing::warn!(?error, "which signatures receivers accepted last could not be written");
        }
        self.base.usage.flush().await;
        if let Err(error) = self.base.counters.flush().await {
            tracing::warn!(?error, "what quotas have used last could not be written");
        }
        if let Err(error) = self.base.signals.flush().await {
            tracing::warn!(?error, "the last counts of what went wrong could not be written");
        }
        self.front().features.syncs.drain(deadline).await;
        self.front().features.vault.drain(deadline).await;
        self.front().features.integrations.flush().await;
        self.front().hand_over().await;
        self.front().flush().await;
    }

    /// A new service key for the operator.
    pub async fn service_key(&self, name: &str) -> anyhow::Result<Secret<String>> {
        let input = NewServiceKey { name: Some(name.to_owned()), ..NewServiceKey::default() };
        Ok(access::service_keys::create(&self.base.store, input).await?.key)
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
