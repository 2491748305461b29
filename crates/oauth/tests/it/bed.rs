//! What the tests stand on: the authorization server over a real store, asked over its own routes.

use std::sync::Arc;
use std::time::Duration;

use access::clients::{ClientInput, ClientWithSecret};
use access::jose::{Algorithm, Signer};
use access::people::{Role, scopes_of};
use access::tenants::{CreateTenant, Tenant};
use access::{Access, Principal};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use blueprint::Blueprint;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, ClientId, Credential, IdRef, Result, Scope, TenantId, Timestamp, UserId};
use oauth::clients::SettingsInput;
use oauth::requests::{Approval, Look, Signed};
use oauth::{Config, Oauth};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{Config as StoreConfig, Database, MasterKey, Store};
use testkit::Engine;
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "https://api.example";
pub(crate) const CALLBACK: &str = "https://app.example/cb";
pub(crate) const VERIFIER: &str = "a-verifier-of-forty-three-characters-at-least-0123456789";

/// One server: its features over a store.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) oauth: Arc<Oauth>,
}

pub(crate) struct Bed {
    pub(crate) node: Node,
    pub(crate) clock: Arc<ManualClock>,
    ambient: Ambient,
    engine: Engine,
    master: MasterKey,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    /// The body of a 200.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body
    }

    /// The protocol's error, with its status.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["error"].as_str().unwrap_or_default())
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).unwrap_or_else(|| panic!("{} {}", self.status, self.text)).to_str().unwrap()
    }
}

/// A client, and how it proves itself.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: ClientId,
    pub(crate) secret: Option<String>,
}

impl App {
    fn header(&self) -> Option<String> {
        self.secret.as_ref().map(|secret| format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.id))))
    }
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_760_000_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SystemEntropy));
        let (master, _) = MasterKey::load_or_create(&engine.data_dir(), &ambient).unwrap();
        let node = node(&engine, &master, &ambient, true).await;
        Self { node, clock, ambient, engine, master }
    }
}

async fn node(engine: &Engine, master: &MasterKey, ambient: &Ambient, exclusive: bool) -> Node {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let mut config = StoreConfig::new(database, master.clone(), ambient.clone(), [access::MIGRATIONS, oauth::MIGRATIONS].concat());
    config.exclusive = exclusive;
    let store = Store::open(config).await.unwrap();
    let blueprint = Arc::new(blueprint());
    let access = Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), vec![Oauth::lifecycle()]).await.unwrap();
    let oauth = Oauth::new(store.clone(), ambient.clone(), blueprint, Arc::clone(&access), Config::new(ISSUER));
    Node { store, access, oauth }
}

fn blueprint() -> Blueprint {
    blueprint::load("insurance-leads").unwrap()
}

impl Node {
    async fn send(&self, request: Request<Body>) -> Answer {
        let router = self.oauth.routes().into_router(|_, route| route);
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body, text }
    }

    /// A form, with the client's secret in the header if it has one.
    pub(crate) async fn post(&self, app: &App, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut form = form.to_vec();
        let id = app.id.to_string();
        match app.header() {
            Some(proof) => request = request.header(header::AUTHORIZATION, proof),
            None => form.push(("client_id", &id)),
        }
        self.send(request.body(Body::from(encoded(&form))).unwrap()).await
    }

    /// A form as it is, with this `Authorization`, if any.
    pub(crate) async fn post_raw(&self, path: &str, authorization: Option<&str>, body: &str) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// JSON, with this token, if any.
    pub(crate) async fn json(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a browser to `/oauth/authorize`.
    pub(crate) async fn authorize(&self, query: &[(&str, &str)]) -> Answer {
        self.get(&format!("/oauth/authorize?{}", encoded(query))).await
    }

    pub(crate) async fn token(&self, app: &App, form: &[(&str, &str)]) -> Answer {
        self.post(app, "/oauth/token", form).await
    }

    /// The same as a page of `origin` asks.
    pub(crate) async fn token_from(&self, app: &App, origin: &str, form: &[(&str, &str)]) -> Answer {
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
            .header(header::AUTHORIZATION, app.header().unwrap());
        self.send(request.body(Body::from(encoded(form))).unwrap()).await
    }

    pub(crate) async fn refresh(&self, app: &App, refresh_token: &str) -> Answer {
        self.token(app, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub(crate) async fn redeem(&self, app: &App, code: &str) -> Answer {
        let form = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)];
        self.token(app, &form).await
    }

    pub(crate) async fn introspect(&self, app: &App, token: &str) -> Value {
        self.post(app, "/oauth/introspect", &[("token", token)]).await.ok()
    }

    /// Who holds an access token at the gate.
    pub(crate) async fn holder(&self, token: &str) -> Result<Arc<Principal>> {
        self.access.authenticate(token, None).await
    }

    pub(crate) async fn is_good(&self, token: &str) -> bool {
        self.holder(token).await.is_ok()
    }
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// A parameter of an address.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()))
}

/// A good request for `scope`, with a state.
pub(crate) fn request<'a>(client: &'a str, challenge: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("state", "s t&=1"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}

impl Bed {
    pub(crate) fn operator(&self) -> Caller {
        Caller::system("test", None)
    }

    pub(crate) fn acting(&self, tenant: &Tenant) -> Caller {
        self.operator().acting_for(Some(tenant.id)).unwrap()
    }

    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let input = CreateTenant { name: name.into(), ..CreateTenant::default() };
        self.node.access.create_tenant(&self.operator(), input).await.unwrap()
    }

    /// A confidential client with scopes.
    pub(crate) async fn app(&self, tenant: &Tenant, scopes: &[&str]) -> App {
        self.make(tenant, json!({"name": "Sync", "redirectUris": [CALLBACK], "scopes": scopes})).await
    }

    /// A public client with scopes.
    pub(crate) async fn public_app(&self, tenant: &Tenant, scopes: &[&str]) -> App {
        self.make(tenant, json!({"name": "Phone", "redirectUris": [CALLBACK], "scopes": scopes, "confidential": false})).await
    }

    pub(crate) async fn make(&self, tenant: &Tenant, input: Value) -> App {
        let input: ClientInput = serde_json::from_value(input).unwrap();
        let ClientWithSecret { client, client_secret } = self.node.access.create_client(&self.acting(tenant), input).await.unwrap();
        App { id: client.id, secret: client_secret }
    }

    pub(crate) async fn set(&self, tenant: &Tenant, app: &App, settings: Value) -> Result<Value> {
        let input: SettingsInput = serde_json::from_value(settings).unwrap();
        let set = self.node.oauth.replace_client_settings(&self.acting(tenant), IdRef::Id(app.id), input).await?;
        Ok(serde_json::to_value(set).unwrap())
    }

    /// A person of a tenant.
    pub(crate) async fn person(&self, tenant: &Tenant, role: Role) -> UserId {
        let (id, tenant): (UserId, TenantId) = (self.ambient.id(), tenant.id);
        let insert = self.node.store.write(Scope::system("test"), move |tx| {
            let now = tx.now();
            tx.exec(
                "INSERT INTO users (id, email, name, status, created_at, updated_at) VALUES (?1, ?2, 'Ada', 'active', ?3, ?3)",
                &[id.into(), format!("{id}@example.com").into(), now.into()],
            )?;
            tx.exec(
                "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES (?1, ?2, ?3, ?4)",
                &[tenant.into(), id.into(), role.as_str().into(), now.into()],
            )
        });
        insert.await.unwrap();
        id
    }

    /// What happens to the person's place, with the notice that `people` gives.
    pub(crate) async fn member(&self, user: UserId, sql: &'static str) {
        let write = self.node.store.write(Scope::system("test"), move |tx| {
            tx.exec(sql, &[user.into()])?;
            tx.notify(access::access_tokens::MEMBER_TOPIC, user);
            Ok(())
        });
        write.await.unwrap();
    }

    /// A signed-in person who acts for a tenant.
    pub(crate) fn signed_in(&self, user: UserId, tenant: &Tenant, role: Role) -> Caller {
        let credential = Credential::User { user, operator: false, session: self.ambient.id(), proven_at: self.ambient.now() };
        Caller::new(credential, Some(tenant.id), scopes_of(&blueprint(), role).into(), role.permissions())
    }

    pub(crate) fn signed(&self) -> Signed {
        Signed { at: self.ambient.now(), methods: vec!["pwd".into(), "otp".into()] }
    }

    /// The handle of a request that was found good.
    pub(crate) async fn asked(&self, query: &[(&str, &str)]) -> String {
        let answer = self.node.authorize(query).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let location = answer.location();
        assert!(location.starts_with(&format!("{ISSUER}/portal/consent?request=twq_live_")), "{location}");
        parameter(location, "request").unwrap()
    }

    /// A code for all that is asked for, as `who` allows it.
    pub(crate) async fn allowed(&self, app: &App, who: &Caller, scope: &str) -> String {
        let (client, challenge) = (app.id.to_string(), challenge());
        let handle = self.asked(&request(&client, &challenge, scope)).await;
        assert!(matches!(self.node.oauth.look(who, &self.signed(), &handle).await.unwrap(), Look::Ask(_)));
        let location = self.node.oauth.approve(who, &self.signed(), &handle, Approval::default()).await.unwrap();
        parameter(&location, "code").unwrap_or_else(|| panic!("{location}"))
    }

    /// The tokens for it.
    pub(crate) async fn tokens(&self, app: &App, who: &Caller, scope: &str) -> Value {
        let code = self.allowed(app, who, scope).await;
        self.node.redeem(app, &code).await.ok()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        self.node.store.read(Scope::system("test"), move |tx| tx.query_one(&sql, &[], |row| row.get(0))).await.unwrap()
    }

    pub(crate) async fn audited(&self) -> Vec<String> {
        let sql = "SELECT action FROM audit_log WHERE action LIKE 'grant.%' OR action LIKE 'consent.%' ORDER BY chain, seq";
        self.node.store.read(Scope::system("test"), move |tx| tx.query(sql, &[], |row| row.get(0))).await.unwrap()
    }

    /// The same server, set up otherwise.
    pub(crate) fn configured(&self, change: impl FnOnce(&mut Config)) -> Node {
        let mut config = Config::new(ISSUER);
        change(&mut config);
        let (store, access) = (self.node.store.clone(), Arc::clone(&self.node.access));
        let oauth = Oauth::new(store.clone(), self.ambient.clone(), Arc::new(blueprint()), Arc::clone(&access), config);
        Node { store, access, oauth }
    }

    /// A key, for what is signed.
    pub(crate) fn signer(&self) -> Signer {
        Signer::generate(&self.ambient, Algorithm::Es256).unwrap()
    }

    /// Another server on the same data.
    pub(crate) async fn second(&self) -> Node {
        node(&self.engine, &self.master, &self.ambient, false).await
    }
}

pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}
