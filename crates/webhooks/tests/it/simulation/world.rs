//! The system under simulation: one node after another on one store, wired as the binary wires it, but for the channel and the clock.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::Access;
use access::clients::ClientInput;
use access::tenants::CreateTenant;
use blueprint::Blueprint;
use dispatch::{Dispatch, Options, Snapshot};
use events::Events;
use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, IdRef, Kind, Timestamp};
use store::{Config, Database, MasterKey, Store};
use web::outbound::{Client, ClientConfig, UrlPolicy};
use webhooks::Webhooks;

use super::chance::Rng;
use super::expected::{Expected, Tenant};
use super::faults::Fault;
use super::outside::{Outside, Wire};

/// Longest wait for anything, in real time.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// One life of the node.
pub(super) struct Life {
    pub(super) events: Arc<Events>,
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) webhooks: Arc<Webhooks>,
}

/// Which corners a seed visits.
#[derive(Debug)]
pub(super) struct Climate {
    /// Of a hundred acts, how many crash.
    pub(super) crashes: u64,
    /// Whether the clock may go back, and how far in milliseconds.
    pub(super) back: u64,
    /// Longest step of the clock in milliseconds.
    pub(super) step: u64,
    /// Of a hundred webhooks, how many are ordered.
    pub(super) ordered: u64,
    /// Of a hundred receivers, how many behave badly.
    pub(super) bad: u64,
}

pub(super) struct World {
    pub(super) fault: Option<Fault>,
    pub(super) rng: Rng,
    pub(super) climate: Climate,
    pub(super) clock: Arc<ManualClock>,
    pub(super) outside: Arc<Outside>,
    pub(super) store: Store,
    pub(super) life: Option<Life>,
    pub(super) expected: Expected,
    /// Attempts may have been made whose outcome nobody wrote down.
    pub(super) lossy: bool,
    /// What was done, for the report.
    pub(super) diary: Vec<String>,
    /// The most that was in memory.
    pub(super) most: Snapshot,
    pub(super) options: Options,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    outbound: Client,
    _engine: testkit::Engine,
}

impl World {
    pub(super) async fn open(engine: testkit::Engine, seed: u64, fault: Option<Fault>) -> Self {
        let mut rng = Rng::new(seed);
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T00:00:00Z").unwrap()));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SeededEntropy::new(seed)));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations = [access::MIGRATIONS, events::MIGRATIONS, dispatch::MIGRATIONS, webhooks::MIGRATIONS].concat();
        let mut config = Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations);
        config.readers = 2;
        let store = Store::open(config).await.unwrap();
        let outside = Outside::new(seed, Arc::clone(&clock));
        let (climate, options) = (climate(&mut rng, fault), options(&mut rng));
        let blueprint = blueprint();
        let policy = UrlPolicy { allow_http: true, allow_networks: Vec::new() };
        let mut world = Self {
            fault,
            rng,
            climate,
            clock,
            outside,
            store,
            life: None,
            expected: Expected::default(),
            lossy: false,
            diary: Vec::new(),
            most: Snapshot::default(),
            options,
            ambient,
            blueprint,
            outbound: Client::new(ClientConfig::new(policy)).unwrap(),
            _engine: engine,
        };
        world.populate().await;
        world.begin().await;
        world
    }

    /// Tenants and clients.
    async fn populate(&mut self) {
        let access = Access::new(self.store.clone(), self.ambient.clone(), Arc::clone(&self.blueprint), Vec::new()).await.unwrap();
        for number in 0..self.rng.between(2, 3) {
            let input = CreateTenant { name: format!("Tenant {number}"), ..CreateTenant::default() };
            let id = access.create_tenant(&Caller::system("test", None), input).await.unwrap().id;
            let mut clients = Vec::new();
            for which in 0..2 {
                let input = ClientInput { name: format!("Client {which}"), ..ClientInput::default() };
                clients.push(access.create_client(&Caller::system("test", Some(id)), input).await.unwrap().client.id);
            }
            self.expected.tenants.push(Tenant { id, clients });
        }
    }

    /// A new life.
    pub(super) async fn begin(&mut self) {
        let wire = Arc::new(Wire { outside: Arc::clone(&self.outside), fault: self.fault });
        let (store, ambient) = (self.store.clone(), self.ambient.clone());
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), vec![wire], self.options.clone()).await.unwrap();
        let (blueprint, outbound) = (Arc::clone(&self.blueprint), self.outbound.clone());
        let webhooks = Webhooks::new(store.clone(), ambient.clone(), blueprint, Arc::clone(&dispatch), outbound).await.unwrap();
        let exists: events::ClientExists = Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        });
        let events = Events::new(store, ambient, &self.blueprint, exists).unwrap();
        events.set_planner(webhooks.clone());
        dispatch.start().await.unwrap();
        self.life = Some(Life { events, dispatch, webhooks });
    }

    /// The node is gone at once, with whatever it had in memory.
    pub(super) async fn end(&mut self) {
        let life = self.life.take().unwrap();
        let ghost = Arc::downgrade(&life.dispatch);
        drop(life);
        // Tasks that hold it end when they are next looked at.
        testkit::wait::until("the crashed node is gone", PATIENCE, || async { ghost.upgrade().is_none().then_some(()) }).await;
    }

    pub(super) fn life(&self) -> &Life {
        self.life.as_ref().expect("a life follows every end")
    }

    pub(super) fn caller(&self, tenant: usize) -> Caller {
        Caller::system("test", Some(self.expected.tenants[tenant].id))
    }

    pub(super) fn has_left(&self, at: usize) -> bool {
        self.outside.has_left(self.expected.subscriptions[at].id)
    }

    /// Whoever waits for the time looks at it.
    pub(super) fn ring(&self) {
        self.outside.tick();
        self.life().dispatch.poke();
    }

    /// Nothing moves but what waits for the clock.
    pub(super) async fn settle(&mut self) {
        let still = || async {
            let now = self.life().dispatch.snapshot();
            let (sleeping, _) = self.outside.sleeping();
            (now.unsettled == now.in_flight && now.in_flight == sleeping).then_some(())
        };
        testkit::wait::until("everything stands still", PATIENCE, still).await;
    }

    pub(super) fn measure(&mut self) {
        let (now, most) = (self.life().dispatch.snapshot(), self.most);
        self.most = Snapshot {
            lanes: most.lanes.max(now.lanes),
            ready: most.ready.max(now.ready),
            ready_most: most.ready_most.max(now.ready_most),
            in_flight: most.in_flight.max(now.in_flight),
            unsettled: most.unsettled.max(now.unsettled),
            broken: most.broken.max(now.broken),
        };
    }
}

fn blueprint() -> Arc<Blueprint> {
    static ONCE: OnceLock<Arc<Blueprint>> = OnceLock::new();
    Arc::clone(ONCE.get_or_init(|| Arc::new(blueprint::load("insurance-leads").unwrap())))
}

/// A fault is looked for in fair weather: a crash excuses some of what it does.
fn climate(rng: &mut Rng, fault: Option<Fault>) -> Climate {
    let drawn = Climate {
        crashes: rng.pick(&[0, 0, 3, 8]).unwrap(),
        back: rng.pick(&[0, 0, 0, 3_000, 60_000]).unwrap(),
        step: rng.pick(&[500, 5_000, 60_000, 3_600_000]).unwrap(),
        ordered: rng.pick(&[0, 40, 90]).unwrap(),
        bad: rng.pick(&[20, 50, 90]).unwrap(),
    };
    if fault.is_some() { Climate { crashes: 0, back: 0, step: 5_000, ordered: 60, bad: 50 } } else { drawn }
}

fn options(rng: &mut Rng) -> Options {
    Options {
        max_in_flight_total: usize::try_from(rng.between(2, 24)).unwrap(),
        start_concurrency: usize::try_from(rng.between(1, 6)).unwrap(),
        max_concurrency: usize::try_from(rng.between(2, 12)).unwrap(),
        ready_per_destination: usize::try_from(rng.between(2, 16)).unwrap(),
        memory: usize::try_from(rng.between(0, 64)).unwrap(),
        breaker_after: u32::try_from(rng.between(2, 12)).unwrap(),
        breaker_first: Duration::from_secs(rng.between(1, 5)),
        breaker_longest: Duration::from_secs(rng.between(5, 60)),
        // Never: the simulator would have to foresee it.
        disable_after: Duration::from_hours(24 * 36_500),
        heartbeat_every: Duration::from_millis(50),
        sweep_every: Duration::from_millis(50),
        ..Options::default()
    }
}
