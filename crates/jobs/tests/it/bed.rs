//! What these tests stand on: the features below this one, wired as the binary wires them.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::clients::ClientInput;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use blueprint::Blueprint;
use dispatch::http::HttpChannel;
use dispatch::{Dispatch, Options};
use events::Events;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use jobs::{Around, Job, Jobs, Lease, LeaseRequest, NewJob};
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, ClientId, Credential, IdRef, Kind, PermissionSet, Result, Scope, TenantId};
use records::Records;
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;
use web::outbound::{Client, ClientConfig, UrlPolicy};

/// No wait in these tests is longer.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    pub(crate) records: Arc<Records>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) other: TenantId,
    blueprint: Arc<Blueprint>,
    key: MasterKey,
    engine: Engine,
    dispatch: Arc<Dispatch>,
}

/// One server.
pub(crate) struct Node {
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) records: Arc<Records>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) dispatch: Arc<Dispatch>,
}

async fn node(engine: &Engine, key: &MasterKey, ambient: Ambient, blueprint: &Arc<Blueprint>, exclusive: bool) -> Node {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations =
        [access::MIGRATIONS, events::MIGRATIONS, dispatch::MIGRATIONS, records::MIGRATIONS, signals::MIGRATIONS, jobs::MIGRATIONS].concat();
    let mut config = Config::new(database, key.clone(), ambient.clone(), migrations);
    config.exclusive = exclusive;
    let store = Store::open(config).await.unwrap();
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let outbound = Client::new(ClientConfig::new(policy)).unwrap();
    let channel = Arc::new(HttpChannel::new(outbound.clone(), &blueprint.webhooks).unwrap());
    // Deliveries happen in real time, whatever the jobs' clock says.
    let dispatch = Dispatch::new(store.clone(), Ambient::system(), vec![channel], Options::default()).await.unwrap();
    let exists: events::ClientExists = Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    });
    let events = Events::new(store.clone(), ambient.clone(), blueprint, exists).unwrap();
    let records = Records::new(store.clone(), ambient.clone(), blueprint, Arc::clone(&events)).unwrap();
    let secret = jobs::installation_secret(&store).await.unwrap();
    let around = Around { events: Arc::clone(&events), records: Arc::clone(&records), dispatch: Arc::clone(&dispatch), outbound, secret };
    let jobs = Jobs::new(store.clone(), ambient.clone(), blueprint, around).unwrap();
    let access = Access::new(store.clone(), ambient, Arc::clone(blueprint), vec![jobs.clone(), events]).await.unwrap();
    dispatch.start().await.unwrap();
    Node { store, access, records, jobs, dispatch }
}

fn declared(host: Option<&str>) -> Arc<Blueprint> {
    let text = include_str!("blueprint.toml");
    let text = host.map_or_else(|| text.to_owned(), |host| text.replace("http://127.0.0.1:9/never", host));
    Arc::new(blueprint::parse(&text, "calls").unwrap_or_else(|faults| panic!("{faults}")))
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        Self::with_host(engine, None).await
    }
}

impl Bed {
    pub(crate) async fn with_host(engine: Engine, host: Option<&str>) -> Self {
        let clock = Arc::new(ManualClock::new(Ambient::system().now()));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let key = MasterKey::generate(&ambient);
        let blueprint = declared(host);
        let Node { store, access, records, jobs, dispatch } = node(&engine, &key, ambient, &blueprint, true).await;
        let operator = Caller::system("test", None);
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            made.push(access.create_tenant(&operator, CreateTenant { name: name.into(), ..CreateTenant::default() }).await.unwrap().id);
        }
        let input = ClientInput { name: "App".into(), ..ClientInput::default() };
        let client = access.create_client(&Caller::system("test", Some(made[0])), input).await.unwrap().client.id;
        Self { clock, store, records, jobs, tenant: made[0], client, other: made[1], blueprint, key, engine, dispatch }
    }

    /// Another server on the same database.
    pub(crate) async fn second_node(&self) -> Node {
        let ambient = Ambient::new(self.clock.clone(), Arc::new(SystemEntropy));
        node(&self.engine, &self.key, ambient, &self.blueprint, false).await
    }

    /// The same under another blueprint.
    pub(crate) async fn node_with(&self, blueprint: &str) -> Node {
        let ambient = Ambient::new(self.clock.clone(), Arc::new(SystemEntropy));
        let blueprint = Arc::new(blueprint::parse(blueprint, "changed").unwrap());
        node(&self.engine, &self.key, ambient, &blueprint, false).await
    }

    /// The host's backend, acting for the tenant.
    pub(crate) fn host(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    /// A worker for all tenants.
    pub(crate) fn worker(&self) -> Caller {
        Caller::system("worker", None)
    }

    /// A partner's key with these scopes.
    pub(crate) fn key(&self, scopes: &[&str]) -> Caller {
        let credential = Credential::Key { key: Ambient::system().id(), client: self.client };
        Caller::new(credential, Some(self.tenant), scopes.iter().map(|scope| (*scope).to_owned()).collect(), PermissionSet::NONE)
    }

    pub(crate) async fn create(&self, body: Value) -> Result<Job> {
        self.jobs.create(&self.host(), new(body)).await
    }

    pub(crate) async fn start(&self, kind: &str, input: Value) -> Job {
        self.create(json!({"type": kind, "input": input})).await.unwrap()
    }

    pub(crate) async fn lease(&self, kinds: &[&str], max: u32) -> Vec<Lease> {
        self.jobs.lease(&self.worker(), ask(kinds, max, 0)).await.unwrap().data
    }

    /// The only job that is there to lease.
    pub(crate) async fn take(&self, kind: &str) -> Lease {
        let mut leased = self.lease(&[kind], 2).await;
        assert_eq!(leased.len(), 1, "{leased:?}");
        leased.remove(0)
    }

    pub(crate) async fn complete(&self, lease: &Lease, result: Value) -> Result<Job> {
        let done = serde_json::from_value(json!({"leaseToken": lease.lease_token, "result": result})).unwrap();
        self.jobs.complete(&self.worker(), lease.id, done).await
    }

    pub(crate) async fn fail(&self, lease: &Lease, more: Value) -> Result<Job> {
        let mut body = json!({"leaseToken": lease.lease_token, "error": {"code": "broken", "message": "It broke."}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.jobs.fail(&self.worker(), lease.id, serde_json::from_value(body).unwrap()).await
    }

    pub(crate) async fn beat(&self, lease: &Lease, progress: i64) -> Result<i64> {
        let sign = serde_json::from_value(json!({"leaseToken": lease.lease_token, "progress": progress})).unwrap();
        self.jobs.heartbeat(&self.worker(), lease.id, sign).await.map(|pulse| pulse.progress)
    }

    pub(crate) async fn get(&self, id: kernel::JobId) -> Job {
        self.jobs.get(&self.host(), id).await.unwrap()
    }

    /// So much later, and everything that was due has happened.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.jobs.look().await.unwrap();
    }

    /// The tenant's events, in order: type and data.
    pub(crate) async fn told(&self) -> Vec<(String, Value)> {
        let tenant = self.tenant;
        let sql = "SELECT event_type, data FROM events WHERE tenant_id = ?1 ORDER BY created_at, id";
        let read = move |tx: &mut store::Tx<'_>| {
            tx.query(sql, &[tenant.into()], |row| Ok((row.get(0)?, serde_json::from_slice(&row.get::<Vec<u8>>(1)?).unwrap())))
        };
        self.store.read(Scope::system("test"), read).await.unwrap()
    }

    /// The actions in the tenant's audit log, in order.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let tenant = self.tenant;
        let sql = "SELECT action FROM audit_log WHERE tenant_id = ?1 ORDER BY seq";
        self.store.read(Scope::system("test"), move |tx| tx.query(sql, &[tenant.into()], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        self.jobs.routes().into_router(|_, route| route)
    }

    pub(crate) async fn call(&self, caller: &Caller, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).extension(caller.clone());
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap();
        let (head, body) = self.router().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.jobs.close();
        let _ = &self.dispatch;
    }
}

pub(crate) fn new(body: Value) -> NewJob {
    serde_json::from_value(body).unwrap()
}

pub(crate) fn ask(kinds: &[&str], max: u32, wait: u32) -> LeaseRequest {
    serde_json::from_value(json!({"types": kinds, "max": max, "waitSeconds": wait})).unwrap()
}
