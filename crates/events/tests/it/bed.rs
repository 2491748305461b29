//! What these tests stand on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use blueprint::Blueprint;
use events::{Events, Planned, Planner, Publish};
use kernel::{Ambient, Caller, ClientId, DestinationId, Event, Result, TenantId};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store, Tx};
use testkit::Engine;

/// Gives every event three deliveries and one filtered destination, and remembers what it saw.
pub(crate) struct Recorder {
    pub(crate) seen: Mutex<Vec<Arc<Event>>>,
    pub(crate) calls: AtomicU32,
    pub(crate) filtered: DestinationId,
}

impl Planner for Recorder {
    fn plan(&self, _: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().extend(events.iter().cloned());
        Ok(events.iter().map(|_| Planned { deliveries: 3, filtered: vec![self.filtered] }).collect())
    }
}

pub(crate) struct Bed {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) events: Arc<Events>,
    pub(crate) planner: Arc<Recorder>,
    key: MasterKey,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        Self::with(engine, &blueprint::load("insurance-leads").unwrap()).await
    }
}

impl Bed {
    /// Under this blueprint.
    pub(crate) async fn with(engine: Engine, blueprint: &Blueprint) -> Self {
        let ambient = Ambient::system();
        let key = MasterKey::generate(&ambient);
        let store = open_store(&engine, &key, &ambient, true).await;
        let (tenant, client) = (ambient.id(), ambient.id());
        let planner = Arc::new(Recorder { seen: Mutex::default(), calls: AtomicU32::new(0), filtered: ambient.id() });
        let events = open_events(&store, &ambient, client, blueprint);
        events.set_planner(planner.clone());
        Self { engine, store, ambient, tenant, client, events, planner, key }
    }
}

async fn open_store(engine: &Engine, key: &MasterKey, ambient: &Ambient, exclusive: bool) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let mut config = Config::new(database, key.clone(), ambient.clone(), events::MIGRATIONS.to_vec());
    config.exclusive = exclusive;
    Store::open(config).await.unwrap()
}

fn open_events(store: &Store, ambient: &Ambient, client: ClientId, blueprint: &Blueprint) -> Arc<Events> {
    Events::new(store.clone(), ambient.clone(), blueprint, Arc::new(move |_, _, asked| Ok(asked == client))).unwrap()
}

impl Bed {
    /// A second server on the same data, with the same planner.
    pub(crate) async fn second_node(&self) -> Arc<Events> {
        let store = open_store(&self.engine, &self.key, &self.ambient, false).await;
        let events = open_events(&store, &self.ambient, self.client, &blueprint::load("insurance-leads").unwrap());
        events.set_planner(self.planner.clone());
        events
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }
}

/// A body of POST /events, read as the server reads it.
pub(crate) fn input(body: &str) -> Publish {
    serde_json::from_str(body).unwrap()
}

pub(crate) fn lead(id: Option<&str>) -> Publish {
    let mut body = json!({"type": "lead.created", "data": {"leadId": "1"}});
    if let Some(id) = id {
        body["id"] = Value::from(id);
    }
    input(&body.to_string())
}
