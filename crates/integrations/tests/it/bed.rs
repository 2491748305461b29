//! What these tests stand on: integrations over a vault and tenants, reached through their routes as a listener would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::Access;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use connectors::Hint;
use events::Events;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use integrations::{HintSink, Integrations};
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, IntegrationId, Scope, TenantId, TenantScope, Timestamp};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store, Tx};
use testkit::Engine;
use tower::ServiceExt as _;
use vault::Vault;
use web::outbound::{Client, ClientConfig, UrlPolicy};

/// Where vendors reach this server.
pub(crate) const PUBLIC: &str = "https://us.example";
/// When these tests begin, in seconds.
pub(crate) const BEGIN: i64 = 1_795_305_600;
/// The connector of the guide.
pub(crate) const ACME: &str = include_str!("../../../../examples/acme-crm/connector.toml");

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) integrations: Arc<Integrations>,
    pub(crate) hints: Arc<Kept>,
    pub(crate) tenant: TenantId,
    pub(crate) other: TenantId,
    router: Router,
    /// The database goes with it.
    _engine: Engine,
}

/// What was hinted at.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<(TenantId, IntegrationId, Vec<Hint>)>>);

impl HintSink for Kept {
    fn hints(&self, _: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, hints: &[Hint]) -> kernel::Result<()> {
        self.0.lock().unwrap().push((tenant, integration, hints.to_vec()));
        Ok(())
    }
}

impl Kept {
    pub(crate) fn take(&self) -> Vec<(TenantId, IntegrationId, Vec<Hint>)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn outbound() -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    Client::new(ClientConfig::new(policy)).unwrap()
}

async fn open(engine: &Engine, ambient: &Ambient) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations = [events::MIGRATIONS, signals::MIGRATIONS, access::MIGRATIONS, vault::MIGRATIONS, integrations::MIGRATIONS].concat();
    Store::open(Config::new(database, MasterKey::generate(ambient), ambient.clone(), migrations)).await.unwrap()
}

fn integrations_over(store: &Store, ambient: &Ambient, vault: &Arc<Vault>) -> Arc<Integrations> {
    Integrations::new(integrations::Parts {
        store: store.clone(),
        ambient: ambient.clone(),
        blueprint: Arc::new(blueprint::load("insurance-leads").unwrap()),
        vault: Arc::clone(vault),
        outbound: outbound(),
        scripts: script::Engine::threads(1),
        public_url: PUBLIC.to_owned(),
        connectors: integrations::built_in(),
        listed: Vec::new(),
    })
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(BEGIN * 1000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let store = open(&engine, &ambient).await;
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        let vault = Vault::new(vault::Parts {
            store: store.clone(),
            ambient: ambient.clone(),
            events: Arc::clone(&events),
            outbound: outbound(),
            public_url: PUBLIC.to_owned(),
            holder: ambient.id(),
        });
        let integrations = integrations_over(&store, &ambient, &vault);
        let hints = Arc::new(Kept::default());
        integrations.set_hints(hints.clone());
        let lifecycles: Vec<Arc<dyn store::Lifecycle>> = vec![integrations.clone(), vault.clone(), events];
        let access = Access::new(store.clone(), ambient.clone(), blueprint, lifecycles).await.unwrap();
        let operator = Caller::system("test", None);
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            made.push(access.create_tenant(&operator, CreateTenant { name: name.into(), ..CreateTenant::default() }).await.unwrap().id);
        }
        let router = integrations.routes().into_router(|_, route| route);
        Self { clock, ambient, store, access, vault, integrations, hints, tenant: made[0], other: made[1], router, _engine: engine }
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

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }

    /// Code, and the place of the first fault.
    pub(crate) fn fault(&self) -> (String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&body["code"]), text(&body["errors"][0]["pointer"]))
    }
}

impl Bed {
    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) fn stranger(&self) -> Caller {
        Caller::system("test", Some(self.other))
    }

    pub(crate) fn operator() -> Caller {
        Caller::system("test", None)
    }

    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::system("test", self.tenant)
    }

    /// Another server: it shares the database only.
    pub(crate) fn second_node(&self) -> Arc<Integrations> {
        integrations_over(&self.store, &self.ambient, &self.vault)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn api_as(&self, caller: Caller, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).extension(caller);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.api_as(self.caller(), method, path, body).await
    }

    /// A vendor's call.
    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// Makes an integration; its id.
    pub(crate) async fn integration(&self, body: Value) -> IntegrationId {
        let made = self.api("POST", "/integrations", Some(body)).await.expect(201).json();
        made["id"].as_str().unwrap().parse().unwrap()
    }

    /// One of HubSpot's double, with a token of it.
    pub(crate) async fn hubspot(&self, url: &str, token: &str) -> IntegrationId {
        self.integration(json!({"connector": "hubspot", "config": {"baseUrl": url}, "credentials": {"accessToken": token}})).await
    }

    /// One of Acme's double, by its manifest.
    pub(crate) async fn acme(&self, url: &str, token: &str) -> IntegrationId {
        self.api("POST", "/connectors", Some(json!({ "manifest": ACME }))).await.expect(201);
        self.integration(json!({"connector": "acme-crm", "config": {"baseUrl": url}, "credentials": {"apiKey": token}})).await
    }

    pub(crate) async fn shown(&self, id: IntegrationId) -> Value {
        self.api("GET", &format!("/integrations/{id}"), None).await.expect(200).json()
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
}
