//! What these tests stand on: sources over the event log and the tenants, reached through their routes as a listener would.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use events::Events;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, Scope, TenantId, Timestamp};
use serde_json::Value;
use sources::Sources;
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;

/// Where vendors reach this server.
pub(crate) const PUBLIC: &str = "https://hooks.example";
/// When these tests begin, in seconds: noon of a day.
pub(crate) const BEGIN: i64 = 1_700_049_600;

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) router: Router,
    pub(crate) tenant: TenantId,
    /// Of another tenant.
    pub(crate) stranger: Caller,
    key: MasterKey,
    pub(crate) engine: Engine,
}

struct Node {
    store: Store,
    access: Arc<Access>,
    router: Router,
}

async fn node(engine: &Engine, key: &MasterKey, ambient: Ambient, exclusive: bool) -> Node {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations = [events::MIGRATIONS, signals::MIGRATIONS, access::MIGRATIONS, sources::MIGRATIONS].concat();
    let mut config = Config::new(database, key.clone(), ambient.clone(), migrations);
    config.exclusive = exclusive;
    let store = Store::open(config).await.unwrap();
    let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
    let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
    let sources = Sources::new(store.clone(), ambient.clone(), Arc::clone(&events), PUBLIC);
    let access = Access::new(store.clone(), ambient, blueprint, vec![sources.clone(), events.clone()]).await.unwrap();
    Node { store, access, router: sources.routes().into_router(|_, route| route) }
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(BEGIN * 1000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let key = MasterKey::generate(&ambient);
        let Node { store, access, router } = node(&engine, &key, ambient, true).await;
        let operator = Caller::system("test", None);
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            made.push(access.create_tenant(&operator, CreateTenant { name: name.into(), ..CreateTenant::default() }).await.unwrap().id);
        }
        let stranger = Caller::system("test", Some(made[1]));
        Self { clock, store, access, router, tenant: made[0], stranger, key, engine }
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A call as a vendor makes it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) remote: IpAddr,
}

impl Call {
    pub(crate) fn new(body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { method: "POST", query: String::new(), headers, body: body.into(), remote: IpAddr::from([192, 0, 2, 1]) }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn from(self, remote: IpAddr) -> Self {
        Self { remote, ..self }
    }
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) data: String,
}

impl Bed {
    /// Another server on the same database.
    pub(crate) async fn second_node(&self) -> Router {
        let ambient = Ambient::new(self.clock.clone(), Arc::new(SystemEntropy));
        node(&self.engine, &self.key, ambient, false).await.router
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) async fn api_as(&self, caller: Caller, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/sources{path}")).extension(caller);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        send(&self.router, request.body(body).unwrap()).await
    }

    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.api_as(self.caller(), method, path, body).await
    }

    /// Makes a source; its id.
    pub(crate) async fn source(&self, body: Value) -> String {
        let made = self.api("POST", "", Some(body)).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn call(&self, source: &str, call: &Call) -> Reply {
        call_at(&self.router, source, call).await
    }

    /// The events that came in, in order.
    pub(crate) async fn inbound(&self) -> Vec<Stored> {
        let all = self.stored().await;
        all.into_iter().filter(|event| event.event_type.starts_with("inbound.")).collect()
    }

    /// All of the tenant's events, in order.
    pub(crate) async fn stored(&self) -> Vec<Stored> {
        let tenant = self.tenant;
        let sql = "SELECT id, event_type, data FROM events WHERE tenant_id = ?1 ORDER BY created_at, id";
        let read = move |tx: &mut store::Tx<'_>| {
            tx.query(sql, &[tenant.into()], |row| {
                let data = String::from_utf8(row.get::<Vec<u8>>(2)?).unwrap();
                Ok(Stored { id: row.get(0)?, event_type: row.get(1)?, data })
            })
        };
        self.store.read(Scope::system("test"), read).await.unwrap()
    }

    /// The actions in the tenant's audit log, in order.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let tenant = self.tenant;
        let sql = "SELECT action FROM audit_log WHERE tenant_id = ?1 ORDER BY seq";
        self.store.read(Scope::system("test"), move |tx| tx.query(sql, &[tenant.into()], |row| row.get(0))).await.unwrap()
    }

    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: &'static str) -> u64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.store.read(Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) fn seconds(&self) -> i64 {
        use kernel::Clock as _;
        self.clock.now().seconds()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) async fn call_at(router: &Router, source: &str, call: &Call) -> Reply {
    let query = if call.query.is_empty() { String::new() } else { format!("?{}", call.query) };
    let mut request = Request::builder().method(call.method).uri(format!("/in/{source}{query}")).extension(web::PeerAddress(call.remote));
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    send(router, request.body(Body::from(call.body.clone())).unwrap()).await
}

async fn send(router: &Router, request: Request<Body>) -> Reply {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}
