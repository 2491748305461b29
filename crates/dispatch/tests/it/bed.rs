//! What the tests stand on: a store, the event log, a dispatcher, and a channel that answers as scripted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dispatch::destinations::{self, NewDestination, State};
use dispatch::{AttemptInput, AttemptOutcome, AttemptReport, Channel, Dispatch, NewDelivery, Options, Policy, Prepared};
use events::{Events, Planned, Planner};
use http::HeaderMap;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, ClientId, DestinationId, Event, Result, Scope, TenantId, Timestamp};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store, Tx};
use testkit::receiver::Gate;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What the scripted channel answers.
#[derive(Clone)]
pub(crate) enum Reply {
    Deliver,
    Status(u16),
    Gone,
    /// It is not to be sent, as a transform says.
    Cancel,
    /// Nobody is there.
    Absent,
    /// Begins, and ends once the gate is open.
    Held(Gate),
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) destination: DestinationId,
    pub(crate) number: u32,
    pub(crate) seq: i64,
    pub(crate) key: Option<String>,
    pub(crate) at: Timestamp,
}

type Script = Box<dyn Fn(&Seen) -> Reply + Send>;

/// A channel that answers as scripted and remembers what it saw.
pub(crate) struct Scripted {
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
}

impl Scripted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { script: Mutex::new(Box::new(|_| Reply::Deliver)), seen: Mutex::default() })
    }

    pub(crate) fn answer(&self, script: impl Fn(&Seen) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// A `Scripted` as a channel; a type of its own because tests share the script among dispatchers.
pub(crate) struct ScriptChannel(pub(crate) Arc<Scripted>);

impl Channel for ScriptChannel {
    fn name(&self) -> &'static str {
        "script"
    }

    fn check<'a>(&'a self, config: &'a Value) -> futures_util::future::BoxFuture<'a, Result<Value>> {
        Box::pin(async { Ok(config.clone()) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        Ok(Prepared::new(config["host"].as_str().map(str::to_owned)))
    }

    fn host(&self, prepared: &Prepared) -> Option<String> {
        prepared.get::<Option<String>>()?.clone()
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> futures_util::future::BoxFuture<'a, AttemptReport> {
        Box::pin(async move {
            let seen = Seen {
                destination: input.destination.id,
                number: input.number,
                seq: input.seq,
                key: input.event.ordering_key.clone(),
                at: input.now,
            };
            let reply = (self.0.script.lock().unwrap())(&seen);
            self.0.seen.lock().unwrap().push(seen);
            let (outcome, status) = match reply {
                Reply::Deliver => (AttemptOutcome::Delivered, 200),
                Reply::Status(status) => (AttemptOutcome::Retry { after: None }, status),
                Reply::Gone => (AttemptOutcome::Gone, 410),
                Reply::Cancel => {
                    let skipped = AttemptOutcome::Skipped("cancelled");
                    return AttemptReport { error: None, ..AttemptReport::failure(skipped, "transform", "", Duration::from_millis(1)) };
                }
                Reply::Absent => {
                    return AttemptReport::failure(AttemptOutcome::Retry { after: None }, "connect", "nobody", Duration::ZERO);
                }
                Reply::Held(gate) => {
                    gate.passed().await;
                    (AttemptOutcome::Delivered, 200)
                }
            };
            AttemptReport {
                outcome,
                status_code: Some(status),
                error: None,
                duration: Duration::from_millis(1),
                request_headers: HeaderMap::new(),
                response_headers: HeaderMap::new(),
                response_body: Bytes::from_static(b"said"),
            }
        })
    }
}

/// Plans one delivery per event and destination.
pub(crate) struct Everyone {
    dispatch: Mutex<Arc<Dispatch>>,
    destinations: Mutex<Vec<DestinationId>>,
}

impl Planner for Everyone {
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        let destinations = self.destinations.lock().unwrap().clone();
        let pair =
            |event: &Arc<Event>| -> Vec<NewDelivery> { destinations.iter().map(|id| NewDelivery::new(Arc::clone(event), *id)).collect() };
        let items: Vec<NewDelivery> = events.iter().flat_map(pair).collect();
        self.dispatch.lock().unwrap().enqueue(tx, &items)?;
        let deliveries = u32::try_from(destinations.len()).unwrap();
        Ok(events.iter().map(|_| Planned { deliveries, filtered: Vec::new() }).collect())
    }
}

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) channel: Arc<Scripted>,
    pub(crate) extra: Mutex<Vec<Arc<dyn Channel>>>,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) options: Mutex<Options>,
    pub(crate) events: Arc<Events>,
    planner: Arc<Everyone>,
    numbers: AtomicU64,
    _engine: testkit::Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T00:00:00Z").unwrap()));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations = [events::MIGRATIONS, dispatch::MIGRATIONS].concat();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        let channel = Scripted::new();
        let options = Options { heartbeat_every: Duration::from_millis(50), ..Options::default() };
        let first = Dispatch::new(store.clone(), ambient.clone(), vec![Arc::new(ScriptChannel(Arc::clone(&channel)))], options.clone())
            .await
            .unwrap();
        let planner = Arc::new(Everyone { dispatch: Mutex::new(first), destinations: Mutex::default() });
        events.set_planner(Arc::<Everyone>::clone(&planner));
        let (tenant, client) = (ambient.id(), ambient.id());
        let (options, extra, numbers) = (Mutex::new(options), Mutex::default(), AtomicU64::new(0));
        Self { store, ambient, clock, channel, extra, tenant, client, options, events, planner, numbers, _engine: engine }
    }
}

pub(crate) fn system() -> Scope {
    Scope::system("test")
}

impl Bed {
    /// Changes the options of dispatchers to come.
    pub(crate) fn set_options(&self, change: impl FnOnce(Options) -> Options) {
        let mut options = self.options.lock().unwrap();
        *options = change(options.clone());
    }

    /// A new, started dispatcher that gets what is published from now on.
    pub(crate) async fn dispatch(&self) -> Arc<Dispatch> {
        let dispatch = self.unstarted().await;
        dispatch.start().await.unwrap();
        *self.planner.dispatch.lock().unwrap() = Arc::clone(&dispatch);
        dispatch
    }

    async fn unstarted(&self) -> Arc<Dispatch> {
        let mut channels: Vec<Arc<dyn Channel>> = vec![Arc::new(ScriptChannel(Arc::clone(&self.channel)))];
        channels.extend(self.extra.lock().unwrap().iter().cloned());
        let options = self.options.lock().unwrap().clone();
        Dispatch::new(self.store.clone(), self.ambient.clone(), channels, options).await.unwrap()
    }

    /// Lets go of the dispatcher that published last, as a crash would.
    pub(crate) async fn crash(&self, dispatch: Arc<Dispatch>) {
        let other = self.unstarted().await;
        *self.planner.dispatch.lock().unwrap() = other;
        assert_eq!(Arc::strong_count(&dispatch), 1, "nobody else may hold it");
        drop(dispatch);
    }

    /// A destination that gets every event from now on.
    pub(crate) async fn destination(&self, policy: Policy) -> DestinationId {
        self.destination_on("script", json!({}), policy).await
    }

    pub(crate) async fn destination_on(&self, channel: &str, config: Value, policy: Policy) -> DestinationId {
        self.destination_of(self.tenant, channel, config, policy).await
    }

    pub(crate) async fn destination_of(&self, tenant: TenantId, channel: &str, config: Value, policy: Policy) -> DestinationId {
        let id: DestinationId = self.ambient.id();
        let new = NewDestination { id, tenant, client: self.client, channel: channel.to_owned(), config, policy };
        self.store.write(system(), move |tx| destinations::create(tx, new)).await.unwrap();
        self.planner.destinations.lock().unwrap().push(id);
        id
    }

    /// Only these get what is published from now on.
    pub(crate) fn only(&self, ids: &[DestinationId]) {
        *self.planner.destinations.lock().unwrap() = ids.to_vec();
    }

    pub(crate) fn event(&self, data: &'static [u8]) -> Event {
        let now = self.ambient.now();
        Event {
            tenant: self.tenant,
            id: format!("e-{}", self.numbers.fetch_add(1, Ordering::SeqCst)).parse().unwrap(),
            event_type: "lead.created".parse().unwrap(),
            occurred_at: now,
            created_at: now,
            data: Bytes::from_static(data),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        }
    }

    pub(crate) async fn publish(&self, count: usize) {
        let all: Vec<Event> = (0..count).map(|_| self.event(br#"{"leadId":"1"}"#)).collect();
        for some in all.chunks(500) {
            self.emit(some.to_vec()).await;
        }
    }

    pub(crate) async fn emit(&self, some: Vec<Event>) {
        let events = Arc::clone(&self.events);
        self.store.write(system(), move |tx| events.emit(tx, some)).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        self.store.read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn attempts_logged(&self) -> i64 {
        self.store.logs().read(system(), |tx| tx.query_one("SELECT COUNT(*) FROM attempts", &[], |row| row.get(0))).await.unwrap()
    }

    /// How many deliveries ended with this reason.
    pub(crate) async fn ended(&self, reason: &'static str) -> i64 {
        let count =
            move |tx: &mut Tx<'_>| tx.query_one("SELECT COUNT(*) FROM deliveries WHERE reason = ?1", &[reason.into()], |row| row.get(0));
        self.store.read(system(), count).await.unwrap()
    }

    pub(crate) async fn wait_ended(&self, reason: &'static str, count: i64) {
        let what = format!("{count} deliveries that ended as {reason}");
        testkit::wait::until(&what, LIMIT, || async { (self.ended(reason).await == count).then_some(()) }).await;
    }

    pub(crate) async fn queued(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM queue").await
    }

    pub(crate) async fn wait_in_flight(&self, dispatch: &Dispatch, count: usize) {
        let what = format!("{count} attempts under way");
        testkit::wait::until(&what, LIMIT, || async { (dispatch.snapshot().in_flight >= count).then_some(()) }).await;
    }

    pub(crate) async fn wait_quiet(&self, dispatch: &Dispatch) {
        let quiet = || async {
            let now = dispatch.snapshot();
            (now.in_flight == 0 && now.unsettled == 0).then_some(())
        };
        testkit::wait::until("everything settled", LIMIT, quiet).await;
    }

    pub(crate) async fn state(&self, id: DestinationId) -> (State, Option<String>) {
        let tenant = self.tenant;
        let found = self.store.read(system(), move |tx| destinations::get(tx, tenant, id)).await.unwrap();
        (found.state, found.state_reason)
    }

    pub(crate) async fn set_state(&self, id: DestinationId, state: State) {
        let tenant = self.tenant;
        self.store.write(system(), move |tx| destinations::set_state(tx, tenant, id, state, None)).await.unwrap();
    }
}
