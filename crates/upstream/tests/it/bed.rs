//! The proxy behind a real HTTP server, with a guard in the gate's place that knows two tenants and keeps what would be logged.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, ClientId, Credential, KeyId, PermissionSet, RequestInfo, Secret, TenantId, Timestamp};
use tokio::net::TcpListener;
use tower_service::Service as _;
use upstream::Upstreams;
use web::{Api, PeerAddress, ProxyAddress, RequestIdentity, Tally};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Who a bearer token stands for.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) token: &'static str,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) key: KeyId,
}

/// What the gate would write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) status: u16,
    pub(crate) request: u64,
    pub(crate) response: u64,
    pub(crate) fault: Option<&'static str>,
}

pub(crate) struct Bed {
    pub(crate) address: SocketAddr,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) people: [Who; 2],
    pub(crate) secret: Secret<String>,
    pub(crate) log: Arc<Mutex<Vec<Logged>>>,
}

/// A blueprint with one upstream `shop` at these targets, with more members, and these endpoints under `/shop`.
pub(crate) fn blueprint(targets: &[String], members: &str, endpoints: &str) -> String {
    let endpoints = if endpoints.is_empty() { ALL } else { endpoints };
    format!(
        r#"
name = "shop"
default_tier = "basic"
[product]
title = "Shop"
[style]
base_path = "/shop"
[[scopes]]
name = "orders"
[[tiers]]
name = "basic"
per_minute = 60
[[upstreams]]
name = "shop"
targets = {targets:?}
{members}
{endpoints}
"#
    )
}

/// A whole backend behind one endpoint.
const ALL: &str = r#"
[[endpoints]]
method = "ANY"
path = "/*rest"
operation = { type = "upstream", upstream = "shop", path = "/*rest" }
scope = "orders"
"#;

impl Bed {
    pub(crate) async fn new(targets: &[String], members: &str) -> Self {
        Self::of(&blueprint(targets, members, "")).await
    }

    pub(crate) async fn of(text: &str) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T12:00:00Z").unwrap()));
        let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
        let blueprint = blueprint::parse(text, "test").unwrap_or_else(|faults| panic!("{faults}"));
        let installation = Secret::new(b"an installation secret of tests".to_vec());
        let upstreams = Upstreams::new(&blueprint, &installation, ambient.clone(), "http").unwrap();
        upstreams.start();
        let who = |token| Who { token, tenant: ambient.id(), client: ambient.id(), key: ambient.id() };
        let people = [who("anna"), who("bert")];
        let log = Arc::new(Mutex::new(Vec::new()));
        let (known, book, clocked) = (people.clone(), Arc::clone(&log), ambient.clone());
        let api = Api::new().ambient(ambient).merge(upstreams.routes(&blueprint, |_| web::problem()));
        let router = api.into_router(move |_, route| {
            let (known, book, ambient) = (known.clone(), Arc::clone(&book), clocked.clone());
            route.layer(from_fn(move |request, next| guard(known.clone(), Arc::clone(&book), ambient.clone(), request, next)))
        });
        let address = serve(router).await;
        Self { address, upstreams, clock, people, secret: upstream::signing_secret(&installation, "shop"), log }
    }

    /// A client that is Anna.
    pub(crate) fn client(&self) -> testkit::http::Client {
        testkit::http::Client::new(format!("http://{}", self.address)).bearer("anna")
    }

    /// Waits for so many lines of the log.
    pub(crate) async fn logged(&self, count: usize) -> Vec<Logged> {
        let log = || {
            let log = self.log.lock().unwrap().clone();
            async move { (log.len() >= count).then_some(log) }
        };
        testkit::wait::until("the log's lines", LIMIT, log).await
    }
}

/// What the gate does, as far as the proxy sees it.
async fn guard(people: [Who; 2], book: Arc<Mutex<Vec<Logged>>>, ambient: Ambient, mut request: Request, next: Next) -> Response {
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    let who = people.iter().find(|who| who.token == token).expect("a test says who it is").clone();
    let credential = Credential::Key { key: who.key, client: who.client };
    let scopes: Arc<[String]> = Arc::from(["orders".to_owned(), "more".to_owned()]);
    // What a trusted proxy said is believed: here, one that says so itself.
    let trusted = request.headers().get("x-test-client").and_then(|value| value.to_str().ok()?.parse::<IpAddr>().ok());
    if let (Some(client), Some(proxy)) = (trusted, request.extensions().get::<PeerAddress>().copied()) {
        request.extensions_mut().insert(ProxyAddress(proxy.0));
        request.extensions_mut().insert(PeerAddress(client));
    }
    let ip = request.extensions().get::<PeerAddress>().map(|peer| peer.0);
    let id = RequestIdentity::ensure(request.extensions_mut(), &ambient);
    let info = RequestInfo { id, ip, user_agent: None, slot: None };
    let caller = Caller::new(credential, Some(who.tenant), scopes, PermissionSet::default()).in_request(Arc::new(info));
    request.extensions_mut().insert(caller);
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    if let Some(tally) = response.extensions_mut().remove::<Arc<Tally>>() {
        tally.on_end(move |tally| {
            book.lock().unwrap().push(Logged { status, request: tally.request(), response: tally.response(), fault: tally.fault() });
        });
    }
    response
}

/// As the server's own listener does.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let router = router.clone();
            tokio::spawn(async move {
                let service = service_fn(move |mut request: http::Request<Incoming>| {
                    request.extensions_mut().insert(PeerAddress(peer.ip()));
                    router.clone().call(request.map(axum::body::Body::new))
                });
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}
