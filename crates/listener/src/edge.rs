//! What happens to each request before the router.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, Request};
use http_body::Body as _;
use hyper::body::Incoming;
use kernel::{Ambient, Error};
use telemetry::Traces;
use tower_service::Service as _;
use web::{PeerAddress, ProxyAddress, RequestNote, TrustedProxies};

use crate::access_log::{AccessLog, Line};
use crate::host;

/// The router that is served. Each request takes the one that is there when it comes.
pub struct Live(ArcSwap<Router>);

impl Live {
    /// Begins with `router`.
    pub fn new(router: Router) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(router)))
    }

    /// Serves `router` from the next request on, on connections that stand too.
    pub fn replace(&self, router: Router) {
        self.0.store(Arc::new(router));
    }

    fn router(&self) -> Router {
        Router::clone(&self.0.load())
    }
}

/// See the module.
pub struct Edge {
    live: Arc<Live>,
    ambient: Ambient,
    log: Option<Arc<AccessLog>>,
    traces: Option<Traces>,
    proxies: TrustedProxies,
}

impl Edge {
    /// Without log and traces.
    pub fn new(live: Arc<Live>, ambient: Ambient) -> Self {
        Self { live, ambient, log: None, traces: None, proxies: TrustedProxies::default() }
    }

    /// The same with a line per request in `log`, if there is one.
    #[must_use]
    pub fn with_log(self, log: Option<Arc<AccessLog>>) -> Self {
        Self { log, ..self }
    }

    /// The same with a span per request, if traces are on.
    #[must_use]
    pub fn with_traces(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// The same behind these proxies.
    #[must_use]
    pub fn with_proxies(self, proxies: TrustedProxies) -> Self {
        Self { proxies, ..self }
    }

    pub(crate) async fn answer(self: Arc<Self>, mut request: Request<Incoming>, peer: SocketAddr) -> Result<Response, Infallible> {
        let unfit = host::check(&request).err();
        let client = self.proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(PeerAddress(client));
        if self.proxies.trusts(peer.ip()) {
            request.extensions_mut().insert(ProxyAddress(peer.ip()));
        }
        // What follows speaks of the client; the port is known of whoever connected only.
        let peer = SocketAddr::new(client, peer.port());
        let request = request.map(Body::new);
        if self.log.is_none() && self.traces.is_none() {
            return match unfit {
                None => self.live.router().call(request).await,
                Some(error) => Ok(self.refuse(&error)),
            };
        }
        // Boxed, so that the usual path stays small.
        Box::pin(self.observe(unfit, request, peer)).await
    }

    /// The request reaches nobody. Its connection ends: where one request is in doubt, so is where the next one begins.
    fn refuse(&self, error: &Error) -> Response {
        let mut response = web::render(error, web::problem().as_ref(), self.ambient.id());
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    async fn observe(&self, unfit: Option<Error>, mut request: Request<Body>, peer: SocketAddr) -> Result<Response, Infallible> {
        let (begun, at) = (Instant::now(), self.ambient.now());
        let head = Line::of(&request, peer, at);
        let span = self.traces.as_ref().map(|traces| traces.begin(&mut request, peer.ip()));
        let mut response = match (unfit, &span) {
            (Some(error), _) => self.refuse(&error),
            (None, Some(span)) => span.run(self.live.router().call(request)).await?,
            (None, None) => self.live.router().call(request).await?,
        };
        let note = response.extensions_mut().remove::<RequestNote>();
        let trace = span.map(|span| span.end(response.status(), note.as_ref()));
        if let Some(log) = &self.log {
            log.write(&head.finish(&response, note.as_ref(), trace.as_deref(), begun.elapsed(), response.body().size_hint().lower()));
        }
        Ok(response)
    }
}
