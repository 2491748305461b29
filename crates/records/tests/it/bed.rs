//! What these tests stand on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blueprint::Blueprint;
use events::{Events, Planned, Planner};
use kernel::time::ManualClock;
use kernel::{
    Ambient, Caller, Credential, Error, Event, PermissionSet, RequestInfo, RequestSlot, Result, Scope, TenantId, TenantScope, Timestamp,
};
use records::{NewRecord, Record, Records};
use serde_json::{Map, Value, json};
use store::{Config, Database, MasterKey, Migration, Store, Tx};
use testkit::Engine;

/// Plans nothing, or fails when told to.
#[derive(Default)]
pub(crate) struct Gatekeeper {
    pub(crate) fails: AtomicBool,
}

impl Planner for Gatekeeper {
    fn plan(&self, _: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::conflict("planner_failed", "No."));
        }
        Ok(events.iter().map(|_| Planned { deliveries: 0, filtered: Vec::new() }).collect())
    }
}

/// Insurance leads with a unique e-mail address and a deletion event, beside numbered leads of contractors.
pub(crate) struct Bed {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tenant: TenantId,
    pub(crate) planner: Arc<Gatekeeper>,
    pub(crate) records: Arc<Records>,
    pub(crate) numbered: Arc<Records>,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-01-31T12:00:00Z").unwrap()));
        let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations: Vec<Migration> = events::MIGRATIONS.iter().chain(records::MIGRATIONS).copied().collect();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let planner = Arc::new(Gatekeeper::default());
        let records = open(&store, &ambient, &planner, &insurance());
        let numbered = open(&store, &ambient, &planner, &blueprint::load("contractor-network").unwrap());
        Self { engine, tenant: ambient.id(), store, ambient, clock, planner, records, numbered }
    }
}

pub(crate) fn open(store: &Store, ambient: &Ambient, planner: &Arc<Gatekeeper>, blueprint: &Blueprint) -> Arc<Records> {
    let events = Events::new(store.clone(), ambient.clone(), blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
    events.set_planner(planner.clone());
    Records::new(store.clone(), ambient.clone(), blueprint, events).unwrap()
}

pub(crate) fn insurance() -> Blueprint {
    let (_, text) = blueprint::builtin().iter().find(|(name, _)| *name == "insurance-leads").unwrap();
    let text = text.replacen("\n[resources.schema]", "\nunique = [\"email\"]\n[resources.schema]", 1).replacen(
        "updated = \"lead.updated\"",
        "updated = \"lead.updated\"\ndeleted = \"lead.rejected\"",
        1,
    );
    blueprint::parse(&text, "test").unwrap()
}

impl Bed {
    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::system("test", self.tenant)
    }

    /// Another tenant's authority.
    pub(crate) fn stranger(&self) -> TenantScope {
        TenantScope::system("test", self.ambient.id())
    }

    /// The authority of a request that carries an idempotency key.
    pub(crate) fn request(&self, key: &str) -> TenantScope {
        let slot = RequestSlot::new(key.to_owned(), "test".to_owned(), [7; 32]);
        let info = RequestInfo { id: self.ambient.id(), ip: None, user_agent: None, slot: Some(slot) };
        let credential = Credential::System { part: "test" };
        let caller = Caller::new(credential, Some(self.tenant), Arc::from([]), PermissionSet::all()).in_request(Arc::new(info));
        caller.tenant_scope().unwrap()
    }

    /// A lead whose e-mail address nobody has yet.
    pub(crate) async fn lead(&self, email: &str, more: Value) -> Record {
        self.records.create(&self.scope(), "lead", lead(email, more)).await.unwrap()
    }

    /// Types and data of every event, oldest first.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let sql = "SELECT event_type, data FROM events ORDER BY created_at, id";
        let read = |row: &store::Row<'_>| Ok((row.get::<String>(0)?, serde_json::from_slice(&row.get::<Vec<u8>>(1)?).unwrap()));
        self.store.read(Scope::system("test"), move |tx| tx.query(sql, &[], read)).await.unwrap()
    }

    pub(crate) async fn event_types(&self) -> Vec<String> {
        self.events().await.into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.store.read(Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    /// Moves the clock, so that what follows is later.
    pub(crate) fn later(&self) {
        self.clock.advance(std::time::Duration::from_secs(1));
    }
}

pub(crate) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) fn lead(email: &str, more: Value) -> NewRecord {
    let mut document = members(json!({"source": "web", "email": email, "firstName": "Ada", "lastName": "Byron", "insuranceType": "AUTO"}));
    document.extend(members(more));
    NewRecord { document, ..NewRecord::default() }
}

pub(crate) fn pointers(error: &Error) -> Vec<&str> {
    error.fields().iter().map(|field| field.pointer.as_str()).collect()
}
