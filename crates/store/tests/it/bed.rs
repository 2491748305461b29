//! A store with one tenant table of its own.

use std::sync::Arc;
use std::time::Duration;

use kernel::time::ManualClock;
use kernel::{Ambient, Authority, RequestInfo, RequestSlot, Scope, TenantId, TenantScope, Timestamp};
use store::{Config, Database, Home, MasterKey, Migration, Store, Tx};
use testkit::Engine;

const NOTES: &[Migration] = &[Migration {
    feature: "notes",
    version: 1,
    home: Home::State,
    sql: "-- tenant\nCREATE TABLE notes (\n  tenant_id TEXT NOT NULL,\n  id BIGINT NOT NULL,\n  body TEXT,\n  PRIMARY KEY (tenant_id, id)\n);\n",
}];

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) key: MasterKey,
    pub(crate) engine: Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T12:00:00Z").unwrap()));
        let key = MasterKey::generate(&Ambient::system());
        let store = open(&engine, &clock, &key).await.unwrap();
        Self { store, clock, key, engine }
    }
}

async fn open(engine: &Engine, clock: &Arc<ManualClock>, key: &MasterKey) -> kernel::Result<Store> {
    Store::open(config(engine, clock, key)).await
}

fn config(engine: &Engine, clock: &Arc<ManualClock>, key: &MasterKey) -> Config {
    let database = match engine.database_url() {
        Some(url) => Database::Postgres(url.clone()),
        None => Database::Sqlite(engine.data_dir().clone()),
    };
    let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
    let mut config = Config::new(database, key.clone(), ambient, NOTES.to_vec());
    config.exclusive = false;
    config
}

impl Bed {
    /// A second process on the same data.
    pub(crate) async fn second(&self) -> kernel::Result<Store> {
        open(&self.engine, &self.clock, &self.key).await
    }

    /// One that gives callers so long to read, on the same data.
    pub(crate) async fn limited_to(&self, limit: Duration) -> Store {
        let mut config = config(&self.engine, &self.clock, &self.key);
        config.read_limit = limit;
        Store::open(config).await.unwrap()
    }

    /// The same with another master key.
    pub(crate) async fn with_other_key(&self) -> kernel::Result<Store> {
        open(&self.engine, &self.clock, &MasterKey::generate(&Ambient::system())).await
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.store.ambient().id()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

pub(crate) fn scope(tenant: TenantId) -> Scope {
    let scope: Scope = TenantScope::system("test", tenant).into();
    assert_eq!(scope.authority(), Authority::Tenant(tenant));
    scope
}

/// A tenant's scope in a request with an idempotency key.
pub(crate) fn request(store: &Store, tenant: TenantId, key: &str, body: u8) -> (Scope, Arc<RequestInfo>) {
    let slot = RequestSlot::new(key.to_owned(), "key_a".to_owned(), [body; 32]);
    let info = Arc::new(RequestInfo { id: store.ambient().id(), ip: None, user_agent: None, slot: Some(slot) });
    let caller = kernel::Caller::system("test", Some(tenant)).in_request(Arc::clone(&info));
    (caller.tenant_scope().unwrap().into(), info)
}

pub(crate) fn add(tx: &mut Tx<'_>, tenant: TenantId, id: i64) -> kernel::Result<i64> {
    tx.exec("INSERT INTO notes (tenant_id, id, body) VALUES (?1, ?2, 'hello')", &[tenant.into(), id.into()])?;
    Ok(id)
}

pub(crate) fn count(tx: &mut Tx<'_>) -> kernel::Result<i64> {
    tx.query_one("SELECT COUNT(*) FROM notes", &[], |row| row.get(0))
}
