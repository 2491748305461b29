//! What these tests stand on: a router as the binary builds it, with a guard that lets one caller in.

use std::sync::Arc;

use axum::body::Body;
use axum::{Extension, Router};
use blueprint::Blueprint;
use events::Events;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, Credential, Permission, PermissionSet, TenantId, Timestamp};
use records::Records;
use rest::DocsConfig;
use serde_json::Value;
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;
use web::Api;

pub(crate) const NOON: &str = "2026-01-31T12:00:00.000Z";

/// One product.
pub(crate) struct Product {
    pub(crate) blueprint: Blueprint,
    pub(crate) records: Arc<Records>,
}

impl Product {
    /// Every route of this crate.
    pub(crate) fn api(&self) -> Api {
        self.api_read_by(None)
    }

    /// The same, with documentation that knows its readers.
    pub(crate) fn api_read_by(&self, readers: Option<rest::Readers>) -> Api {
        let api = rest::declared(&self.records, &self.blueprint, &Api::new())
            .merge(rest::metrics(&self.records, &self.blueprint))
            .merge(rest::generic(&self.records))
            .merge(rest::home(&self.blueprint));
        let config = DocsConfig { public_url: "https://api.example.com".into(), version: "1.2.3".into(), client: None };
        let docs = rest::Docs::new(Arc::new(self.blueprint.clone()), api.endpoints(), config, readers);
        api.merge(docs.routes())
    }
}

/// Both products over one store.
pub(crate) struct Bed {
    _engine: Engine,
    store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tenant: TenantId,
    pub(crate) insurance: Product,
    pub(crate) contractors: Product,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse(NOON).unwrap()));
        let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations = events::MIGRATIONS.iter().chain(records::MIGRATIONS).copied().collect();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let insurance = product(&store, &ambient, "insurance-leads");
        let contractors = product(&store, &ambient, "contractor-network");
        Self { _engine: engine, store, tenant: ambient.id(), ambient, clock, insurance, contractors }
    }
}

fn product(store: &Store, ambient: &Ambient, name: &str) -> Product {
    let blueprint = blueprint::load(name).unwrap();
    let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
    let records = Records::new(store.clone(), ambient.clone(), &blueprint, events).unwrap();
    Product { blueprint, records }
}

impl Bed {
    /// A third product over the same store.
    pub(crate) fn product(&self, name: &str) -> Product {
        product(&self.store, &self.ambient, name)
    }

    /// The host of our tenant, who is above scopes.
    pub(crate) fn host(&self, product: &Product) -> App {
        App::new(product, Some(Caller::system("test", Some(self.tenant))))
    }

    /// A key of `tenant` with these scopes, and with permissions on records.
    pub(crate) fn key(&self, tenant: TenantId, scopes: &[&str], permissions: &[Permission]) -> Caller {
        let credential = Credential::Key { key: self.ambient.id(), client: self.ambient.id() };
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Caller::new(credential, Some(tenant), scopes, permissions.iter().copied().collect::<PermissionSet>())
    }

    /// A key of our tenant that may do everything.
    pub(crate) fn holder(&self, product: &Product) -> App {
        let scopes = product.blueprint.all_scopes();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        App::new(product, Some(self.key(self.tenant, &scopes, &[Permission::RecordsRead, Permission::RecordsWrite])))
    }

    /// The same of another tenant.
    pub(crate) fn stranger(&self, product: &Product) -> App {
        let scopes = product.blueprint.all_scopes();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        App::new(product, Some(self.key(self.ambient.id(), &scopes, &[Permission::RecordsRead, Permission::RecordsWrite])))
    }

    /// A key of our tenant with these scopes only.
    pub(crate) fn scoped(&self, product: &Product, scopes: &[&str]) -> App {
        App::new(product, Some(self.key(self.tenant, scopes, &[])))
    }
}

/// A router that a caller talks to.
pub(crate) struct App(Router);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl App {
    pub(crate) fn new(product: &Product, caller: Option<Caller>) -> Self {
        Self(product.api().into_router(move |_, route| match &caller {
            Some(caller) => route.layer(Extension(caller.clone())),
            None => route,
        }))
    }

    /// Without a caller, with documentation that knows its readers.
    pub(crate) fn read_by(product: &Product, readers: rest::Readers) -> Self {
        Self(product.api_read_by(Some(readers)).into_router(|_, route| route))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// With these headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = headers.iter().fold(Request::builder().uri(path), |request, (name, value)| request.header(*name, *value));
        self.answer(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    /// The answer to a GET as it comes.
    pub(crate) async fn open(&self, path: &str) -> Response<Body> {
        self.0.clone().oneshot(Request::builder().uri(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        self.with(method, path, &[], body).await
    }

    /// With headers; a body is JSON unless they say otherwise.
    pub(crate) async fn with(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() && headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::from(body.unwrap_or_default())).unwrap()).await
    }

    /// A body that is sent as it comes.
    pub(crate) async fn stream(&self, path: &str, kind: &str, body: Body) -> Answer {
        self.answer(Request::builder().method(Method::POST).uri(path).header(header::CONTENT_TYPE, kind).body(body).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.0.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }
}
