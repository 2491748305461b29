//! What the tests stand on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::clients::{ClientInput, ClientWithSecret};
use access::keys::{CreateKey, KeyWithToken};
use access::tenants::{CreateTenant, Tenant};
use access::{Access, Principal};
use blueprint::Blueprint;
use events::Events;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, ClientId, Error, Permission, RequestInfo, RequestSlot, Result, Scope, TenantId, Timestamp};
use store::{Config, Database, Lifecycle, MasterKey, Store, Subject, Tx};
use testkit::Engine;

/// Remembers what it was told, and refuses when asked to.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) refuse: std::sync::atomic::AtomicBool,
}

impl Witness {
    fn tell(&self, what: String) -> Result<()> {
        self.told.lock().unwrap().push(what);
        if self.refuse.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Error::conflict("witness_refuses", "no"));
        }
        Ok(())
    }
}

impl Lifecycle for Witness {
    fn tenant_created(&self, _: &mut Tx<'_>, tenant: TenantId, name: &str) -> Result<()> {
        self.tell(format!("tenant {tenant} {name}"))
    }

    fn client_created(&self, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
        let url = access::clients::webhook_url(tx, tenant, client)?;
        self.tell(format!("client {client} {}", url.unwrap_or_default()))
    }

    fn purge(&self, _: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        self.tell(format!("purge {tenant} {subject:?}"))
    }
}

pub(crate) struct Bed {
    pub(crate) access: Arc<Access>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) witness: Arc<Witness>,
    pub(crate) events: Arc<Events>,
    pub(crate) engine: Engine,
    master: MasterKey,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_760_000_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let (master, _) = MasterKey::load_or_create(&engine.data_dir(), &ambient).unwrap();
        let store = open_store(&engine, &master, &ambient, true).await;
        let witness = Arc::new(Witness::default());
        let access = Access::new(store.clone(), ambient.clone(), Arc::new(blueprint()), vec![witness.clone()]).await.unwrap();
        let none: events::ClientExists = Arc::new(|_, _, _| Ok(true));
        let events = Events::new(store.clone(), ambient.clone(), &blueprint(), none).unwrap();
        events.prepare().await.unwrap();
        access.set_events(&events);
        Self { access, store, clock, ambient, witness, events, engine, master }
    }
}

async fn open_store(engine: &Engine, master: &MasterKey, ambient: &Ambient, exclusive: bool) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let mut config = Config::new(database, master.clone(), ambient.clone(), [access::MIGRATIONS, events::MIGRATIONS].concat());
    config.exclusive = exclusive;
    Store::open(config).await.unwrap()
}

/// The built-in blueprint with a scope for partners who manage their own clients and keys, and one that implies another.
pub(crate) fn blueprint() -> Blueprint {
    let mut blueprint = blueprint::load("insurance-leads").unwrap();
    let scope = |name: &str, implies: &[&str], grants: &[Permission]| blueprint::model::Scope {
        name: name.into(),
        description: name.into(),
        implies: implies.iter().map(|s| (*s).to_owned()).collect(),
        grants: grants.to_vec(),
    };
    use Permission::{ClientsRead, ClientsWrite, KeysRead, KeysWrite};
    blueprint.scopes.push(scope("self:manage", &[], &[ClientsRead, ClientsWrite, KeysRead, KeysWrite]));
    blueprint.scopes.push(scope("leads:all", &["leads:read", "leads:write"], &[]));
    blueprint
}

impl Bed {
    /// Another process on the same data: the command line, or another node.
    pub(crate) async fn other_process(&self) -> Store {
        open_store(&self.engine, &self.master, &self.ambient, false).await
    }

    pub(crate) fn operator(&self) -> Caller {
        Caller::system("test", None)
    }

    pub(crate) fn acting(&self, tenant: &Tenant) -> Caller {
        self.operator().acting_for(Some(tenant.id)).unwrap()
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let input =
            CreateTenant { name: name.into(), external_id: Some(format!("{}-1", name.replace(' ', "_"))), ..CreateTenant::default() };
        self.access.create_tenant(&self.operator(), input).await.unwrap()
    }

    pub(crate) async fn client(&self, tenant: &Tenant, scopes: Option<&[&str]>) -> ClientWithSecret {
        let input = ClientInput { name: "Acme".into(), scopes: scopes.map(owned), ..ClientInput::default() };
        self.access.create_client(&self.acting(tenant), input).await.unwrap()
    }

    pub(crate) async fn key_with(&self, tenant: &Tenant, client: ClientId, input: CreateKey) -> Result<KeyWithToken> {
        let input = CreateKey { client_id: client.to_string(), name: "key".into(), ..input };
        self.access.create_key(&self.acting(tenant), input).await
    }

    pub(crate) async fn key(&self, tenant: &Tenant, client: ClientId) -> KeyWithToken {
        self.key_with(tenant, client, CreateKey::default()).await.unwrap()
    }

    pub(crate) async fn admitted(&self, bearer: &str) -> Result<Arc<Principal>> {
        self.access.authenticate(bearer, None).await
    }

    /// The code of the refusal.
    pub(crate) async fn refused(&self, bearer: &str) -> &'static str {
        self.admitted(bearer).await.unwrap_err().code()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The operator's acts, then the tenants', each in their order.
    pub(crate) async fn audit_actions(&self) -> Vec<String> {
        self.store
            .read(Scope::system("test"), |tx| tx.query("SELECT action FROM audit_log ORDER BY chain, seq", &[], |row| row.get(0)))
            .await
            .unwrap()
    }

    /// What tenants were told, in its order: the type and the data.
    pub(crate) async fn told(&self) -> Vec<(String, serde_json::Value)> {
        let sql = "SELECT event_type, data FROM events ORDER BY created_at, id";
        let read =
            self.store.read(Scope::system("test"), move |tx| tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?))));
        read.await.unwrap().into_iter().map(|(name, data)| (name, serde_json::from_slice(&data).unwrap())).collect()
    }

    /// Only the types.
    pub(crate) async fn told_types(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.store.read(Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    /// The caller in a request with an idempotency key.
    pub(crate) fn with_idempotency_key(&self, caller: &Caller, key: &str, fingerprint: u8) -> Caller {
        let slot = RequestSlot::new(key.into(), caller.actor().to_string(), [fingerprint; 32]);
        caller.clone().in_request(Arc::new(RequestInfo { id: self.ambient.id(), ip: None, user_agent: None, slot: Some(slot) }))
    }
}

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn pointers(error: &Error) -> Vec<&str> {
    error.fields().iter().map(|field| field.pointer.as_str()).collect()
}
