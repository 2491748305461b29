//! What these tests stand on: the routes of this crate behind a real gate, two products, keys made as the binary makes them.

use std::sync::Arc;

use access::Access;
use access::clients::ClientInput;
use access::keys::CreateKey;
use access::tenants::CreateTenant;
use axum::Router;
use axum::body::Body;
use blueprint::model::ResetFormat;
use events::Events;
use gate::{CounterOptions, Counters, Gate, Options};
use graphql::{Graphql, Parts};
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt as _;
use kernel::{Ambient, Caller, TenantId};
use records::Records;
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;
use usage::Usage;

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) records: Arc<Records>,
    pub(crate) graphql: Arc<Graphql>,
    router: Router,
    pub(crate) tenant: TenantId,
    client: String,
    scopes: Vec<String>,
    _engine: Engine,
}

/// Who talks to the router.
#[derive(Clone)]
pub(crate) struct App {
    router: Router,
    key: Option<String>,
    tenant: Option<TenantId>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
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
}

impl testkit::Bed for Bed {
    /// `call-coaching`: companies have agents, and both have calls.
    async fn open(engine: Engine) -> Self {
        let ambient = Ambient::system();
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let features =
            [events::MIGRATIONS, access::MIGRATIONS, records::MIGRATIONS, usage::MIGRATIONS, gate::MIGRATIONS, graphql::MIGRATIONS];
        let config = Config::new(database, MasterKey::generate(&ambient), ambient.clone(), features.concat());
        let store = Store::open(config).await.unwrap();
        let blueprint = Arc::new(blueprint::load("call-coaching").unwrap());
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        events.prepare().await.unwrap();
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events)).unwrap();
        records.prepare().await.unwrap();
        let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Vec::new()).await.unwrap();
        let usage = Usage::start(&store);
        let counters = Counters::start(&store, ambient.clone(), &CounterOptions::default()).unwrap();
        let options = Options { reset: ResetFormat::UnixSeconds, bypass_ip_allowlist: false };
        let gate = Gate::counting(store.clone(), ambient.clone(), Arc::clone(&access), usage, counters, options);
        let parts = Parts {
            store: store.clone(),
            ambient,
            blueprint: Arc::clone(&blueprint),
            records: Arc::clone(&records),
            events: Arc::clone(&events),
            access: Arc::clone(&access),
            gate: Arc::clone(&gate),
        };
        let graphql = Graphql::new(parts).unwrap();
        let api = graphql.routes(&gate).merge(graphql::console(&blueprint));
        let router = api.into_router(|endpoint, route| gate.guard(endpoint, route));
        let (tenant, client) = sample(&access, "Harbor").await;
        let scopes = blueprint.all_scopes();
        Self { store, access, records, graphql, router, tenant, client, scopes, _engine: engine }
    }
}

async fn sample(access: &Arc<Access>, name: &str) -> (TenantId, String) {
    let operator = Caller::system("test", None);
    let input: CreateTenant = serde_json::from_value(json!({"name": name})).unwrap();
    let tenant = access.create_tenant(&operator, input).await.unwrap().id;
    let input: ClientInput = serde_json::from_value(json!({"name": "CRM", "dualAuth": false})).unwrap();
    let client = access.create_client(&Caller::system("test", Some(tenant)), input).await.unwrap().client.id;
    (tenant, client.to_string())
}

async fn key(access: &Arc<Access>, tenant: TenantId, client: &str, scopes: &[String]) -> String {
    let limits = json!({"requests": 1_000_000, "window": 1000});
    let input = json!({"clientId": client, "name": "test", "scopes": scopes, "rateLimitOverride": limits});
    let input: CreateKey = serde_json::from_value(input).unwrap();
    access.create_key(&Caller::system("test", Some(tenant)), input).await.unwrap().key
}

impl Bed {
    /// A key with these scopes.
    pub(crate) async fn scoped(&self, scopes: &[&str]) -> App {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        App { router: self.router.clone(), tenant: None, key: Some(key(&self.access, self.tenant, &self.client, &scopes).await) }
    }

    /// A key with every scope.
    pub(crate) async fn holder(&self) -> App {
        App { router: self.router.clone(), tenant: None, key: Some(key(&self.access, self.tenant, &self.client, &self.scopes).await) }
    }

    /// A key with every scope of another tenant.
    pub(crate) async fn stranger(&self) -> App {
        let (tenant, client) = sample(&self.access, "Other").await;
        App { router: self.router.clone(), tenant: None, key: Some(key(&self.access, tenant, &client, &self.scopes).await) }
    }

    /// A service key, which names the tenant.
    pub(crate) async fn host(&self) -> App {
        let made = access::service_keys::create(&self.store, access::service_keys::NewServiceKey::default()).await.unwrap();
        App { router: self.router.clone(), tenant: None, key: Some(made.key.reveal().clone()) }
    }

    /// Our tenant's scope, for what tests put into the database.
    pub(crate) fn scope(&self) -> kernel::TenantScope {
        kernel::TenantScope::system("test", self.tenant)
    }

    /// Makes a record; its id.
    pub(crate) async fn record(&self, resource: &str, members: Value) -> String {
        let Value::Object(document) = members else { panic!("members are an object") };
        let new = records::NewRecord { document, ..Default::default() };
        self.records.create(&self.scope(), resource, new).await.unwrap().id.to_string()
    }

    /// Companies with agents and calls.
    pub(crate) async fn companies(&self, count: usize, each: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for n in 0..count {
            let company = self.record("company", json!({"name": format!("Company {n}"), "industry": "sales"})).await;
            for m in 0..each {
                self.record("agent", json!({"name": format!("Agent {n}.{m}"), "companyId": company})).await;
            }
            ids.push(company);
        }
        ids
    }
}

impl App {
    /// Without a credential.
    pub(crate) fn forget_key(&mut self) {
        self.key = None;
    }

    /// For a tenant.
    pub(crate) fn for_tenant(&self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self.clone() }
    }

    /// Runs an operation by POST.
    pub(crate) async fn run(&self, query: &str) -> Value {
        self.run_with(query, json!({})).await
    }

    /// The same with variables.
    pub(crate) async fn run_with(&self, query: &str, variables: Value) -> Value {
        self.post(&json!({"query": query, "variables": variables}), &[]).await.json()
    }

    /// The data of an operation that has no errors.
    #[track_caller]
    pub(crate) fn data(answer: Value) -> Value {
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    pub(crate) async fn post(&self, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(Method::POST, "/graphql", &all, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, String::new()).await
    }

    /// Sets a schema.
    pub(crate) async fn put_schema(&self, tenant: TenantId, body: &Value) -> Answer {
        let tenant = tenant.to_string();
        let headers = [("content-type", "application/json"), ("tradewind-tenant", tenant.as_str())];
        self.send(Method::PUT, "/api/v1/graphql-schema", &headers, body.to_string()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let response = self.begin(method, path, headers, body).await;
        let (head, body) = response.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    /// The answer with its body still on the way.
    pub(crate) async fn begin(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if let Some(tenant) = self.tenant {
            request = request.header("tradewind-tenant", tenant.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }
}
