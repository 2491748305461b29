//! What the tests stand on: events, a dispatcher, and a receiver that says back what it was sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::Access;
use access::tenants::CreateTenant;
use bytes::Bytes;
use dispatch::destinations::{self, NewDestination, State};
use dispatch::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, Dispatch, NewDelivery, Options, Policy, Prepared};
use events::{Events, Planned, Planner};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, DestinationId, Event, EventId, Result, Scope, TenantId, Timestamp};
use retention::{Lifetimes, Retention, Sink};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store, Tx};

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Says back what it was sent, in body, header and, to whom it refuses, in the error.
struct Parrot(Arc<Mutex<bool>>);

impl Channel for Parrot {
    fn name(&self) -> &'static str {
        "parrot"
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { Ok(config.clone()) })
    }

    fn prepare(&self, _: &Value) -> Result<Prepared> {
        Ok(Prepared::new(()))
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(async move {
            let takes = *self.0.lock().unwrap();
            let said = String::from_utf8(input.event.data.to_vec()).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert("x-said", said.parse().unwrap());
            AttemptReport {
                outcome: if takes { AttemptOutcome::Delivered } else { AttemptOutcome::Retry { after: None } },
                status_code: Some(if takes { 200 } else { 500 }),
                error: (!takes).then(|| AttemptError { kind: "status", text: format!("refused {said}") }),
                duration: Duration::from_millis(1),
                request_headers: headers.clone(),
                response_headers: headers,
                response_body: Bytes::from(said),
            }
        })
    }
}

struct ToAll {
    dispatch: Arc<Dispatch>,
    destinations: Mutex<Vec<(TenantId, DestinationId)>>,
}

impl Planner for ToAll {
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        let all = self.destinations.lock().unwrap().clone();
        let mut planned = Vec::new();
        for event in events {
            let theirs = all.iter().filter(|(tenant, _)| *tenant == event.tenant);
            let items: Vec<NewDelivery> = theirs.map(|(_, destination)| NewDelivery::new(Arc::clone(event), *destination)).collect();
            planned.push(Planned { deliveries: u32::try_from(items.len()).unwrap(), filtered: Vec::new() });
            self.dispatch.enqueue(tx, &items)?;
        }
        Ok(planned)
    }
}

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) events: Arc<Events>,
    pub(crate) access: Arc<Access>,
    pub(crate) tenant: TenantId,
    pub(crate) stranger: TenantId,
    pub(crate) destination: DestinationId,
    /// Whether the receiver takes what it is sent.
    pub(crate) takes: Arc<Mutex<bool>>,
    pub(crate) engine: testkit::Engine,
    planner: Arc<ToAll>,
    numbers: AtomicU64,
}

async fn destination(store: &Store, ambient: &Ambient, tenant: TenantId) -> DestinationId {
    let id: DestinationId = ambient.id();
    let policy = Policy { schedule_ms: vec![3_600_000; 5], ..Policy::default() };
    let new = NewDestination { id, tenant, client: ambient.id(), channel: "parrot".into(), config: json!({}), policy };
    store.write(system(), move |tx| destinations::create(tx, new)).await.unwrap();
    id
}

fn system() -> Scope {
    Scope::system("test")
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T10:00:00Z").unwrap()));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations = [access::MIGRATIONS, events::MIGRATIONS, dispatch::MIGRATIONS, usage::MIGRATIONS, retention::MIGRATIONS].concat();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let takes = Arc::new(Mutex::new(true));
        let channel: Arc<dyn Channel> = Arc::new(Parrot(Arc::clone(&takes)));
        let options = Options { heartbeat_every: Duration::from_millis(50), sweep_every: Duration::from_millis(50), ..Options::default() };
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), vec![channel], options).await.unwrap();
        dispatch.start().await.unwrap();
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        let planner = Arc::new(ToAll { dispatch: Arc::clone(&dispatch), destinations: Mutex::default() });
        events.set_planner(Arc::<ToAll>::clone(&planner));
        let access = Access::new(store.clone(), ambient.clone(), blueprint, Vec::new()).await.unwrap();
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            let input = CreateTenant { name: name.into(), ..CreateTenant::default() };
            let tenant = access.create_tenant(&Caller::system("test", None), input).await.unwrap().id;
            let id = destination(&store, &ambient, tenant).await;
            planner.destinations.lock().unwrap().push((tenant, id));
            made.push((tenant, id));
        }
        let ((tenant, destination), (stranger, _)) = (made[0], made[1]);
        let numbers = AtomicU64::new(0);
        Self { store, ambient, clock, dispatch, events, access, tenant, stranger, destination, takes, engine, planner, numbers }
    }
}

impl Bed {
    pub(crate) fn retention(&self, lifetimes: Lifetimes, sink: Option<Arc<dyn Sink>>) -> Arc<Retention> {
        Retention::new(self.store.clone(), self.ambient.clone(), Arc::clone(&self.dispatch), lifetimes, sink)
    }

    /// That of another server, and that server's engine, which works on nothing.
    pub(crate) async fn elsewhere(&self, lifetimes: Lifetimes) -> (Arc<Retention>, Arc<Dispatch>) {
        let other = Dispatch::new(self.store.clone(), self.ambient.clone(), Vec::new(), Options::default()).await.unwrap();
        (Retention::new(self.store.clone(), self.ambient.clone(), Arc::clone(&other), lifetimes, None), other)
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    /// Another tenant's events are delivered too.
    pub(crate) async fn also_to(&self, tenant: TenantId) {
        let id = destination(&self.store, &self.ambient, tenant).await;
        self.planner.destinations.lock().unwrap().push((tenant, id));
    }

    pub(crate) fn days(&self, days: u64) {
        self.clock.advance(Duration::from_hours(24 * days));
        self.dispatch.poke();
    }

    /// An event about this customer. Its number says which.
    pub(crate) async fn publish(&self, tenant: TenantId, customer: &str) -> EventId {
        let now = self.ambient.now();
        let id: EventId = format!("e{}", self.numbers.fetch_add(1, Ordering::SeqCst)).parse().unwrap();
        let event = Event {
            tenant,
            id: id.clone(),
            event_type: "lead.created".parse().unwrap(),
            schema_version: None,
            occurred_at: now,
            created_at: now,
            data: Bytes::from(json!({"leadId": "1", "customerId": customer}).to_string()),
            client: None,
            channels: Vec::new(),
            ordering_key: Some(customer.to_owned()),
            deliver_at: None,
        };
        let events = Arc::clone(&self.events);
        self.store.write(system(), move |tx| events.emit(tx, vec![event])).await.unwrap();
        id
    }

    pub(crate) async fn wait_quiet(&self) {
        let quiet = || async {
            let now = self.dispatch.snapshot();
            (now.in_flight == 0 && now.unsettled == 0).then_some(())
        };
        testkit::wait::until("everything settled", LIMIT, quiet).await;
    }

    /// Waits until so many deliveries have ended.
    pub(crate) async fn wait_ended(&self, count: i64) {
        testkit::wait::until("deliveries ended", LIMIT, || async {
            (self.number("SELECT COUNT(*) FROM deliveries").await == count).then_some(())
        })
        .await;
        self.wait_quiet().await;
    }

    /// Waits until so many deliveries stand in the queue, wherever publishing put them first.
    pub(crate) async fn wait_queued(&self, count: i64) {
        testkit::wait::until("deliveries queued", LIMIT, || async {
            self.dispatch.poke();
            (self.number("SELECT COUNT(*) FROM queue").await == count).then_some(())
        })
        .await;
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        self.store.read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn logged(&self, sql: &'static str) -> i64 {
        self.store.logs().read(system(), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn set_state(&self, state: State) {
        let (tenant, id) = (self.tenant, self.destination);
        self.store.write(system(), move |tx| destinations::set_state(tx, tenant, id, state, None)).await.unwrap();
    }

    /// Where this text stands: files, or tables.
    pub(crate) async fn places_of(&self, text: &str) -> Vec<String> {
        if self.engine.database().is_none() {
            let mut found = Vec::new();
            for entry in std::fs::read_dir(self.engine.data_dir()).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() && std::fs::read(&path).unwrap().windows(text.len()).any(|some| some == text.as_bytes()) {
                    found.push(path.file_name().unwrap().to_string_lossy().into_owned());
                }
            }
            return found;
        }
        // A row as text shows bytes in hexadecimal.
        let hex: String = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let names = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY 1";
        let tables: Vec<String> = self.store.read(system(), move |tx| tx.query(names, &[], |row| row.get(0))).await.unwrap();
        let mut found = BTreeMap::new();
        for table in tables {
            let sql = format!("SELECT COUNT(*) FROM {table} t WHERE CAST(t AS TEXT) LIKE ?1 OR CAST(t AS TEXT) LIKE ?2");
            let like = [format!("%{text}%").into(), format!("%{hex}%").into()];
            // The application's role may not read the books of migrations, which hold nothing of anybody's.
            if let Ok(count) = self.store.read(system(), move |tx| tx.query_one(&sql, &like, |row| row.get::<i64>(0))).await {
                found.insert(table, count);
            }
        }
        assert!(found.contains_key("events") && found.contains_key("attempts"), "{found:?}");
        found.into_iter().filter(|(_, count)| *count > 0).map(|(table, _)| table).collect()
    }
}
