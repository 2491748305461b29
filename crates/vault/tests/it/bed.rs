//! What these tests stand on: a vault over events and tenants, a second one as another server has it, and a browser.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use events::Events;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, Credential, OauthTokenId, PermissionSet, Scope, TenantId, TenantScope, Timestamp, UserId};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;
use url::Url;
use vault::{Parts, Vault};
use vendors::stand::{Call, Double, Vendor};
use web::outbound::{Client, ClientConfig, UrlPolicy};

/// Where browsers reach this server.
pub(crate) const PUBLIC: &str = "http://localhost:8080";
/// When these tests begin, in seconds.
pub(crate) const BEGIN: i64 = 1_700_049_600;

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) router: Router,
    pub(crate) tenant: TenantId,
    pub(crate) other: TenantId,
    key: MasterKey,
    engine: Engine,
}

/// One server.
pub(crate) struct Node {
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) router: Router,
}

pub(crate) fn outbound() -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    Client::new(ClientConfig::new(policy)).unwrap()
}

async fn open(engine: &Engine, key: &MasterKey, ambient: &Ambient, exclusive: bool) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations = [events::MIGRATIONS, signals::MIGRATIONS, access::MIGRATIONS, vault::MIGRATIONS].concat();
    let mut config = Config::new(database, key.clone(), ambient.clone(), migrations);
    config.exclusive = exclusive;
    Store::open(config).await.unwrap()
}

async fn node(store: Store, ambient: &Ambient) -> Node {
    let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
    let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
    let vault = Vault::new(Parts {
        store: store.clone(),
        ambient: ambient.clone(),
        events: Arc::clone(&events),
        outbound: outbound(),
        public_url: PUBLIC.to_owned(),
        holder: ambient.id(),
    });
    vault.set_tenant_settings(Arc::new(access::tenants::setting));
    let access = Access::new(store.clone(), ambient.clone(), blueprint, vec![vault.clone(), events]).await.unwrap();
    let router = vault.routes().into_router(|_, route| route);
    Node { store, access, vault, router }
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(BEGIN * 1000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        Self::with(engine, clock, ambient).await
    }
}

impl Bed {
    /// With a clock of one's own.
    pub(crate) async fn with(engine: Engine, clock: Arc<ManualClock>, ambient: Ambient) -> Self {
        let key = MasterKey::generate(&ambient);
        let store = open(&engine, &key, &ambient, true).await;
        let Node { store, access, vault, router } = node(store, &ambient).await;
        let operator = Caller::system("test", None);
        let settings = json!({"oauthReturnUrls": ["https://app.example"]}).as_object().unwrap().clone();
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            let tenant = CreateTenant { name: name.into(), settings: settings.clone(), ..CreateTenant::default() };
            made.push(access.create_tenant(&operator, tenant).await.unwrap().id);
        }
        Self { clock, ambient, store, access, vault, router, tenant: made[0], other: made[1], key, engine }
    }

    /// Another server on the same database. SQLite has one process, so there it is another vault in it, which shares nothing but the database.
    pub(crate) async fn second_node(&self) -> Node {
        let store = match self.engine.database_url() {
            Some(_) => open(&self.engine, &self.key, &self.ambient, false).await,
            None => self.store.clone(),
        };
        node(store, &self.ambient).await
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) fn stranger(&self) -> Caller {
        Caller::system("test", Some(self.other))
    }

    pub(crate) fn operator() -> Caller {
        Caller::system("test", None)
    }

    /// Somebody who is signed in.
    pub(crate) fn person(&self) -> Caller {
        let user: UserId = self.ambient.id();
        let credential = Credential::User { user, operator: false, session: self.ambient.id(), proven_at: self.ambient.now() };
        Caller::new(credential, Some(self.tenant), Arc::from([]), PermissionSet::all())
    }

    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::system("test", self.tenant)
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn as_caller(&self, caller: Caller, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).extension(caller);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        send(&self.router, request.body(body).unwrap()).await
    }

    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.as_caller(self.caller(), method, &format!("/api/v1{path}"), body).await
    }

    /// A page that a browser asks for.
    pub(crate) async fn browse(&self, target: &str, cookie: Option<&str>) -> Reply {
        let mut request = Request::builder().uri(target);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        send(&self.router, request).await
    }

    /// Begins a connection to a double with its app; the answer.
    pub(crate) async fn begin<V: Vendor>(&self, double: &Double<V>, more: Value) -> Value {
        self.api("POST", "/oauth-connections", Some(about(double, more))).await.expect(201).json()
    }

    /// Connects a double, from the beginning to the end: the token as it is shown.
    pub(crate) async fn connect<V: Vendor>(&self, double: &Double<V>, more: Value) -> Value {
        let begun = self.begin(double, more).await;
        let back = agree(double, begun["authorizeUrl"].as_str().unwrap());
        let reply = self.browse(&path_of(&back), None).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let ended = self.api("GET", &format!("/oauth-connections/{}", text(&begun["id"])), None).await.expect(200).json();
        assert_eq!(ended["status"], "connected", "{ended}");
        self.token(&text(&ended["oauthTokenId"])).await
    }

    pub(crate) async fn token(&self, id: &str) -> Value {
        self.api("GET", &format!("/oauth-tokens/{id}"), None).await.expect(200).json()
    }

    /// Types and data of the tenant's events about tokens, in order.
    pub(crate) async fn told(&self) -> Vec<(String, Value)> {
        let tenant = self.tenant;
        let sql = "SELECT event_type, data FROM events WHERE tenant_id = ?1 ORDER BY seq";
        let read = move |tx: &mut store::Tx<'_>| {
            tx.query(sql, &[tenant.into()], |row| Ok((row.get(0)?, serde_json::from_slice(&row.get::<Vec<u8>>(1)?).unwrap())))
        };
        self.store.read(Scope::system("test"), read).await.unwrap()
    }

    /// The types only, without the part that they share.
    pub(crate) async fn told_types(&self) -> Vec<String> {
        self.told().await.into_iter().map(|(name, _)| name.trim_start_matches("oauth_token.").to_owned()).collect()
    }

    /// Actions and details of the tenant's audit log, in order.
    pub(crate) async fn audited(&self) -> Vec<(String, String)> {
        let tenant = self.tenant;
        let sql = "SELECT action, detail FROM audit_log WHERE tenant_id = ?1 ORDER BY seq";
        let read = move |tx: &mut store::Tx<'_>| tx.query(sql, &[tenant.into()], |row| Ok((row.get(0)?, row.get(1)?)));
        self.store.read(Scope::system("test"), read).await.unwrap()
    }
}

/// The body that connects a double with its app.
#[allow(clippy::needless_pass_by_value, reason = "callers write the members in place")]
pub(crate) fn about<V: Vendor>(double: &Double<V>, more: Value) -> Value {
    let mut body = json!({
        "provider": double.name(), "clientId": "double-client", "clientSecret": "double-secret", "baseUrl": double.url(),
    });
    if let Some(more) = more.as_object() {
        body.as_object_mut().unwrap().extend(more.clone());
    }
    body
}

/// What the vendor does with a person who agrees: the address to which their browser is sent.
pub(crate) fn agree<V: Vendor>(double: &Double<V>, authorize_url: &str) -> String {
    let url = Url::parse(authorize_url).unwrap();
    assert_eq!(format!("http://{}", double.address()), url.origin().ascii_serialization());
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let host = double.address().to_string();
    let answer = vendors::stand::handle(&**double, Call::new(Method::GET, &target).with("host", &host));
    let location = answer.headers.get("location").unwrap_or_else(|| panic!("{} {:?}", answer.status, answer.body));
    location.to_str().unwrap().to_owned()
}

/// Path and query of an address of ours.
pub(crate) fn path_of(address: &str) -> String {
    let url = Url::parse(address).unwrap();
    assert_eq!(url.origin().ascii_serialization(), PUBLIC);
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(crate) fn id_of(token: &Value) -> OauthTokenId {
    text(&token["id"]).parse().unwrap()
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

    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) {
        let reply = self.expect(status);
        assert_eq!(reply.json()["code"], code, "{:?}", reply.body);
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn send(router: &Router, request: Request<Body>) -> Reply {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let condition = &condition;
    testkit::wait::until(what, Duration::from_secs(20), move || async move { condition().await.then_some(()) }).await;
}
