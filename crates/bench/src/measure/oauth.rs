//! The token endpoint (a client's own credentials; refresh with rotation) and introspection, against npm's oidc-provider with its in-memory
//! adapter; and a request with an access token through the gate against the same with a key.
//!
//! Ours writes every token to the disk before it answers; the reference keeps all in memory.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt as _;
use kernel::{Ambient, Caller, Credential, PermissionSet, Scope, TenantId, UserId};
use oauth::requests::{Approval, Signed};
use oauth::{Config as OauthConfig, Oauth};
use serde_json::{Value, json};
use store::{Config as StoreConfig, Store};
use tower::ServiceExt as _;

use super::sides::{Side, alternate};
use crate::load::Traffic;
use crate::oidc_provider::OidcProvider;
use crate::report::Row;
use crate::server::Place;
use crate::setup::{Rig, fetch};
use crate::traffic::Reads;
use crate::wire::{Reply, Wire, write_form};

pub use super::sides::Config;

/// Least rate, in times of the reference's.
const TIMES: f64 = 5.0;
/// Least rate of requests with a token, in shares of those with a key.
const SHARE: f64 = 0.90;
/// Most callers that refresh at once: the reference's memory keeps a thousand things, and with more it forgets grants that are in use.
const MOST_REFRESHERS: usize = 16;
const CALLBACK: &str = "https://app.example/cb";
const OWN: &str = "grant_type=client_credentials&scope=leads%3Aread";
const ROUTE: &str = "/api/v1/rate-limits";
/// The pair of RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    rig.raise_limits().await?;
    let body = json!({"name": "Bench", "rateLimitTier": "enterprise", "redirectUris": [CALLBACK], "scopes": ["leads:read"]});
    let client = rig.call("POST", "/api/v1/api-clients", Some(&body)).await?;
    let (id, secret) = (text(&client, "id")?, text(&client, "clientSecret")?);
    let refreshing = Config { callers: config.callers.min(MOST_REFRESHERS), ..*config };
    let refresh_tokens = granted(&rig, &id, &secret, refreshing.callers).await?;
    let reference = OidcProvider::start(refreshing.callers, &secret)?;
    let ours =
        Party { address: rig.server.address(), authorization: basic(&id, &secret), token: "/oauth/token", introspect: "/oauth/introspect" };
    let theirs =
        Party { address: reference.address, authorization: basic("bench", &secret), token: "/token", introspect: "/token/introspection" };
    // Refreshes first: the reference keeps a thousand things and forgets the oldest, grants too.
    let sides = (ours.refreshes("refresh", refresh_tokens), theirs.refreshes("oidc-provider", reference.refresh_tokens.clone()));
    let mut rows = alternate(&sides.0, &sides.1, &refreshing).await?.rows("oauth", "refresh against oidc-provider", TIMES, &refreshing);
    let sides = (ours.own("client credentials"), theirs.own("oidc-provider"));
    rows.extend(alternate(&sides.0, &sides.1, config).await?.rows("oauth", "client credentials against oidc-provider", TIMES, config));
    let sides = (ours.asks("introspection").await?, theirs.asks("oidc-provider").await?);
    rows.extend(alternate(&sides.0, &sides.1, config).await?.rows("oauth", "introspection against oidc-provider", TIMES, config));
    rows.extend(at_the_gate(&rig, &ours, config).await?);
    Ok(rows)
}

/// The same request with an access token and with a key.
async fn at_the_gate(rig: &Rig, ours: &Party, config: &Config) -> Result<Vec<Row>> {
    let (token, key) = (ours.access_token().await?, rig.key().await?);
    let answer = fetch(ours.address, "GET", ROUTE, &[("authorization", &format!("Bearer {token}"))], None).await?;
    ensure!(answer.status == 200, "GET {ROUTE} with an access token: {}", answer.status);
    let with_token = Side::new("access token", ours.address, Reads::new(ROUTE, Some(&token), answer.body.len()));
    let with_key = Side::new("key", ours.address, Reads::new(ROUTE, Some(&key), answer.body.len()));
    let runs = alternate(&with_token, &with_key, &Config { rounds: config.rounds.max(5), ..*config }).await?;
    Ok(runs.rows("gate", "access token against key", SHARE, config))
}

/// An authorization server, and the client that asks it.
struct Party {
    address: SocketAddr,
    authorization: String,
    token: &'static str,
    introspect: &'static str,
}

impl Party {
    fn refreshes(&self, name: &'static str, tokens: Vec<String>) -> Side<Refreshes> {
        let traffic = Refreshes { path: self.token, authorization: self.authorization.clone(), tokens: Mutex::new(tokens) };
        Side::new(name, self.address, traffic)
    }

    fn own(&self, name: &'static str) -> Side<Asks> {
        Side::new(name, self.address, Asks::new(self.token, &self.authorization, OWN, "access_token"))
    }

    async fn asks(&self, name: &'static str) -> Result<Side<Asks>> {
        let form = format!("token={}", self.access_token().await?);
        Ok(Side::new(name, self.address, Asks::new(self.introspect, &self.authorization, &form, "\"active\":true")))
    }

    async fn access_token(&self) -> Result<String> {
        let mut request = Vec::new();
        write_form(&mut request, self.token, &self.authorization, OWN);
        let mut wire = Wire::connect(self.address).await?;
        let reply = wire.exchange(&request).await?;
        text(&serde_json::from_slice(reply.body)?, "access_token")
    }
}

fn text(value: &Value, member: &str) -> Result<String> {
    Ok(value[member].as_str().with_context(|| format!("no text {member:?} in {value}"))?.to_owned())
}

fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}

/// Refresh tokens of `count` grants that a person gave. The person's part (signing in, consenting) is not measured, so it is done beside the
/// running server, on its data.
async fn granted(rig: &Rig, client: &str, secret: &str, count: usize) -> Result<Vec<String>> {
    let ambient = Ambient::system();
    let (database, master) = rig.server.data(&ambient)?;
    let mut config = StoreConfig::new(database, master, ambient.clone(), Vec::new());
    config.exclusive = false;
    let store = Store::open(config).await?;
    let blueprint = Arc::new(blueprint::load("insurance-leads")?);
    let access = access::Access::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Vec::new()).await?;
    let oauth = Oauth::new(store.clone(), ambient.clone(), blueprint, access, OauthConfig::new("http://127.0.0.1"));
    let tenant: TenantId = rig.tenant.parse()?;
    let user = person(&store, tenant).await?;
    let credential = Credential::User { user, operator: false, session: ambient.id(), proven_at: ambient.now() };
    let caller = Caller::new(credential, Some(tenant), Arc::from(["leads:read".to_owned()]), PermissionSet::all());
    let signed = Signed { at: ambient.now(), methods: vec!["pwd".to_owned()] };
    let router = oauth.routes().into_router(|_, route| route);
    let authorization = basic(client, secret);
    let ask = format!(
        "/oauth/authorize?response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=leads%3Aread\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let handle = parameter(&location(&router, &ask).await?, "request")?;
        let code = parameter(&oauth.approve(&caller, &signed, &handle, Approval::default()).await?, "code")?;
        let form = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}");
        let request = Request::post("/oauth/token")
            .header(header::AUTHORIZATION, &authorization)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))?;
        let Ok(answer) = router.clone().oneshot(request).await;
        let bytes = answer.into_body().collect().await?.to_bytes();
        tokens.push(text(&serde_json::from_slice(&bytes)?, "refresh_token")?);
    }
    Ok(tokens)
}

async fn person(store: &Store, tenant: TenantId) -> Result<UserId> {
    let user: UserId = store.ambient().id();
    let write = store.write(Scope::system("bench"), move |tx| {
        let now = tx.now();
        tx.exec(
            "INSERT INTO users (id, email, name, status, created_at, updated_at) VALUES (?1, 'ada@example.com', 'Ada', 'active', ?2, ?2)",
            &[user.into(), now.into()],
        )?;
        tx.exec(
            "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES (?1, ?2, 'owner', ?3)",
            &[tenant.into(), user.into(), now.into()],
        )
    });
    write.await?;
    Ok(user)
}

async fn location(router: &Router, path: &str) -> Result<String> {
    let Ok(answer) = router.clone().oneshot(Request::get(path).body(Body::empty())?).await;
    let location = answer.headers().get(header::LOCATION).with_context(|| format!("{path}: {}", answer.status()))?;
    Ok(location.to_str()?.to_owned())
}

fn parameter(address: &str, name: &str) -> Result<String> {
    let query = address.split_once('?').context("an address with a query")?.1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    Ok(found.with_context(|| format!("no {name} in {address}"))?.to_owned())
}

/// `POST path` with the same form again and again. Good is a 200 that says what is expected.
struct Asks {
    request: Vec<u8>,
    expected: &'static str,
}

impl Asks {
    fn new(path: &str, authorization: &str, form: &str, expected: &'static str) -> Self {
        let mut request = Vec::new();
        write_form(&mut request, path, authorization, form);
        Self { request, expected }
    }
}

impl Traffic for Asks {
    fn request(&self, _index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        reply.status == 200 && reply.body.windows(self.expected.len()).any(|part| part == self.expected.as_bytes())
    }
}

/// Refreshes: each uses a token up and gets the next one. There are as many tokens as callers.
struct Refreshes {
    path: &'static str,
    authorization: String,
    tokens: Mutex<Vec<String>>,
}

impl Refreshes {
    fn tokens(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic for Refreshes {
    fn request(&self, _index: u64, out: &mut Vec<u8>) {
        let token = self.tokens().pop().unwrap_or_default();
        write_form(out, self.path, &self.authorization, &format!("grant_type=refresh_token&refresh_token={token}"));
    }

    fn answered(&self, _index: u64, _due: u64, _at: u64, reply: &Reply<'_>) -> bool {
        const MARK: &str = "\"refresh_token\":\"";
        let next = std::str::from_utf8(reply.body).ok().and_then(|body| body.split_once(MARK)?.1.split_once('"'));
        match next {
            Some((token, _)) if reply.status == 200 => {
                self.tokens().push(token.to_owned());
                true
            }
            _ => false,
        }
    }
}
