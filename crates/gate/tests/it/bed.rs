//! A router behind a real gate, with a few routes of its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::Access;
use access::clients::ClientInput;
use access::keys::CreateKey;
use access::service_keys::NewServiceKey;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use blueprint::model::ResetFormat;
use gate::{CounterOptions, Counters, Gate, Options, PeerAddress};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, Error, Permission, TenantId, Timestamp};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Migration, Store};
use switches::Switches;
use testkit::Engine;
use tower::ServiceExt as _;
use usage::Usage;
use web::{Auth, Created, Endpoint, Json};

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) access: Arc<Access>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) counters: Arc<Counters>,
    pub(crate) switches: Arc<Switches>,
    pub(crate) router: Router,
    pub(crate) effects: Arc<AtomicU64>,
    pub(crate) tenant: TenantId,
    pub(crate) client: String,
    _engine: Engine,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    pub(crate) fn assert(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str().unwrap_or("")), (status, code), "{}", self.body);
    }
}

#[derive(Clone)]
struct Shop {
    store: Store,
    effects: Arc<AtomicU64>,
}

/// Has an effect and answers with its number.
async fn buy(State(shop): State<Shop>, Auth(caller): Auth, Json(order): Json<Value>) -> web::Result<Created<Value>> {
    let scope = caller.allow(Permission::RecordsWrite)?;
    if order["refuse"] == json!(true) {
        return Err(Error::field("/refuse", "is true").into());
    }
    if order["break"] == json!(true) {
        return Err(Error::internal("broken on purpose").into());
    }
    let effects = Arc::clone(&shop.effects);
    let number = shop.store.answer(scope, move |_| Ok(effects.fetch_add(1, Ordering::SeqCst) + 1)).await?;
    Ok(Created { location: format!("/orders/{number}"), body: json!({"number": number}) })
}

async fn whoami(Auth(caller): Auth) -> Json<Value> {
    Json(json!({"tenant": caller.tenant().map(|t| t.to_string()), "actor": caller.actor().to_string()}))
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T12:00:00Z").unwrap()));
        let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
        let database = match engine.database_url() {
            Some(url) => Database::Postgres(url.clone()),
            None => Database::Sqlite(engine.data_dir().clone()),
        };
        let migrations: Vec<Migration> = [access::MIGRATIONS, usage::MIGRATIONS, gate::MIGRATIONS, switches::MIGRATIONS].concat();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let access = Access::new(store.clone(), ambient.clone(), blueprint, Vec::new()).await.unwrap();
        let usage = Usage::start(&store);
        let counters = Counters::start(&store, ambient.clone(), &CounterOptions::default()).unwrap();
        let switches = Switches::new(store.clone()).await.unwrap();
        let effects = Arc::new(AtomicU64::new(0));
        let router = router(&store, &ambient, &access, &usage, &counters, &switches, &effects);
        let (tenant, client) = sample(&access).await;
        Self { clock, ambient, access, usage, store, counters, switches, router, effects, tenant, client, _engine: engine }
    }
}

/// A gate over these, and a router behind it.
fn router(
    store: &Store,
    ambient: &Ambient,
    access: &Arc<Access>,
    usage: &Arc<Usage>,
    counters: &Arc<Counters>,
    switches: &Arc<Switches>,
    effects: &Arc<AtomicU64>,
) -> Router {
    let options = Options { reset: ResetFormat::UnixSeconds, bypass_ip_allowlist: false };
    let gate = Gate::counting(store.clone(), ambient.clone(), Arc::clone(access), Arc::clone(usage), Arc::clone(counters), options);
    gate.heed(Arc::clone(switches));
    let orders = Endpoint::post("/orders", "orders.create").needs(web::Access::Permission(Permission::RecordsWrite));
    let api = gate
        .routes()
        .origins(access.clone())
        .route(Endpoint::get("/dear", "dear.get").cost(7), whoami, ())
        .route(Endpoint::get("/me", "me.get"), whoami, ())
        .route(Endpoint::get("/leads", "leads.list").needs(web::Access::Scope("leads:read".into())), whoami, ())
        .route(Endpoint::get("/tiers", "tiers.list").needs(web::Access::Operator), whoami, ())
        .route(Endpoint::get("/open", "open.get").needs(web::Access::Public), || async { "open" }, ())
        .route(orders, buy, Shop { store: store.clone(), effects: Arc::clone(effects) });
    api.into_router(|endpoint, route| gate.guard(endpoint, route))
}

async fn sample(access: &Arc<Access>) -> (TenantId, String) {
    let operator = Caller::system("test", None);
    let input: CreateTenant = serde_json::from_value(json!({"name": "Harbor"})).unwrap();
    let tenant = access.create_tenant(&operator, input).await.unwrap().id;
    let input: ClientInput = serde_json::from_value(json!({"name": "CRM", "rateLimitTier": "basic"})).unwrap();
    let client = access.create_client(&Caller::system("test", Some(tenant)), input).await.unwrap().client.id;
    (tenant, client.to_string())
}

impl Bed {
    pub(crate) async fn key(&self, extra: Value) -> String {
        let mut input = json!({"clientId": self.client, "name": "test"});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let input: CreateKey = serde_json::from_value(input).unwrap();
        self.access.create_key(&Caller::system("test", Some(self.tenant)), input).await.unwrap().key
    }

    pub(crate) async fn service_key(&self, store: &Store) -> String {
        access::service_keys::create(store, NewServiceKey::default()).await.unwrap().key.reveal().clone()
    }

    /// The same gate with other counters: another node, or this one after a restart.
    pub(crate) fn node(&self, options: &CounterOptions) -> (Router, Arc<Counters>) {
        let counters = Counters::start(&self.store, self.ambient.clone(), options).unwrap();
        (router(&self.store, &self.ambient, &self.access, &self.usage, &counters, &self.switches, &self.effects), counters)
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {key}"))], None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        self.send_to(&self.router, "::ffff:10.1.2.3", method, path, headers, body).await
    }

    /// The same through another router, from another address.
    pub(crate) async fn send_to(
        &self,
        router: &Router,
        from: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(PeerAddress(from.parse::<IpAddr>().unwrap()));
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
