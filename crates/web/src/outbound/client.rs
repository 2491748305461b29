//! Requests out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use rustls::RootCertStore;
use tokio::time::Instant;
use url::Url;

use crate::outbound::connect::{GuardedConnector, Timed};
use crate::outbound::failure::{OutboundError, OutboundFault, classify};
use crate::outbound::policy::UrlPolicy;
use crate::outbound::pool::{Answer, Kept, Pool};
use crate::outbound::proxy::EgressProxy;
use crate::outbound::refusal::Refusal;
use crate::outbound::resolve::{Resolve, SystemResolver};
use crate::outbound::tls::{self, TlsSettings};
use crate::outbound::verdict::{Judge, read};

/// Connectors with a destination's own TLS settings that are kept; the one that was used longest ago goes first.
const MOST_CONNECTORS: usize = 256;
/// Idle connections per host of such a connector: it serves one destination or a few.
const OWN_IDLE: usize = 8;

/// How a [`Client`] is made.
#[derive(Clone)]
pub struct ClientConfig {
    /// What may be connected to.
    pub policy: UrlPolicy,
    /// Who looks names up. Default: the operating system.
    pub resolver: Arc<dyn Resolve>,
    /// Idle connections that are kept per host. Default: 128.
    pub idle_per_host: usize,
    /// How long an idle connection is kept. Default: 60 s.
    pub idle_time: Duration,
    /// The most time for TCP and TLS together, whatever a request allows. Default: 10 s.
    pub connect_time: Duration,
    /// Certificate authorities (DER) trusted beside the public ones: the operator's own.
    pub extra_roots: Vec<Vec<u8>>,
    /// The proxy through which everything leaves. Default: none.
    pub proxy: Option<EgressProxy>,
}

impl ClientConfig {
    /// The defaults with this policy.
    pub fn new(policy: UrlPolicy) -> Self {
        Self {
            policy,
            resolver: Arc::new(SystemResolver),
            idle_per_host: 128,
            idle_time: Duration::from_secs(60),
            connect_time: Duration::from_secs(10),
            extra_roots: Vec::new(),
            proxy: None,
        }
    }
}

/// The outbound client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    http: Pool,
}

/// What every client of one configuration shares.
struct Shared {
    connector: GuardedConnector,
    roots: Arc<RootCertStore>,
    tls: Arc<rustls::ClientConfig>,
    idle_per_host: usize,
    idle_time: Duration,
    connect_time: Duration,
    own: Mutex<OwnConnections>,
}

/// Connections under TLS settings of their own, by these settings, with the turn in which each was last used.
#[derive(Default)]
struct OwnConnections {
    turn: u64,
    kept: HashMap<[u8; 32], (u64, Pool)>,
}

impl Shared {
    fn connections(&self, tls: rustls::ClientConfig, per_host: usize) -> Pool {
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_all_versions().wrap_connector(self.connector.clone());
        Pool::new(Timed { inner: https, limit: self.connect_time }, Kept { per_host, time: self.idle_time })
    }
}

/// A request out.
#[derive(Clone, Debug)]
pub struct OutboundRequest {
    /// The method.
    pub method: Method,
    /// Where to: an absolute URI, from [`crate::outbound::to_uri`]; parsed once and cloned cheaply.
    pub uri: Uri,
    /// The headers. `Host` and `Content-Length` are added.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// For connecting, sending, waiting and reading together.
    pub timeout: Duration,
    /// The most bytes of the answer's body that are read.
    pub response_cap: usize,
    /// Whether it may come twice: a delivery, which carries an id. Requests of idempotent methods always may (RFC 9110 §9.2.2). Such a request
    /// goes out once more, on a new connection, if a kept one ended before a byte of an answer came: the other side closed it at that moment.
    pub repeatable: bool,
}

/// An answer, whatever its status. Redirects are answers too: they are not followed.
#[derive(Clone, Debug)]
pub struct OutboundResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most the cap.
    pub body: Bytes,
    /// Whether the body went on past the cap. The connection was dropped then, not drained.
    pub truncated: bool,
    /// From the call to the last byte read.
    pub elapsed: Duration,
    /// The address that answered.
    pub remote: Option<SocketAddr>,
}

impl Client {
    /// A client. Error: an extra root that is no certificate.
    pub fn new(config: ClientConfig) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for der in config.extra_roots {
            roots.add(der.into())?;
        }
        let (roots, proxy) = (Arc::new(roots), config.proxy.map(Arc::new));
        let leaves_names = proxy.as_ref().is_some_and(|proxy| proxy.resolves());
        let judge = Judge { policy: Arc::new(config.policy), resolver: config.resolver, leaves_names };
        let shared = Shared {
            connector: GuardedConnector { judge, proxy },
            roots: Arc::clone(&roots),
            tls: Arc::new(tls::builder(roots)?.with_no_client_auth()),
            idle_per_host: config.idle_per_host,
            idle_time: config.idle_time,
            connect_time: config.connect_time,
            own: Mutex::default(),
        };
        let http = shared.connections(rustls::ClientConfig::clone(&shared.tls), shared.idle_per_host);
        Ok(Self { shared: Arc::new(shared), http })
    }

    /// The same client under a destination's own TLS settings: the same verdicts, other connections. Connectors are kept for equal settings,
    /// a bounded number of them. Error: settings that TLS does not take.
    pub fn with_tls(&self, settings: &TlsSettings) -> Result<Self, rustls::Error> {
        let key = settings.fingerprint();
        let mut own = self.shared.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.turn += 1;
        let turn = own.turn;
        if let Some((used, http)) = own.kept.get_mut(&key) {
            *used = turn;
            return Ok(Self { shared: Arc::clone(&self.shared), http: http.clone() });
        }
        let tls = settings.configure(&self.shared.roots)?;
        let http = self.shared.connections(tls, OWN_IDLE.min(self.shared.idle_per_host));
        if own.kept.len() >= MOST_CONNECTORS
            && let Some(oldest) = own.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key)
        {
            own.kept.remove(&oldest);
        }
        own.kept.insert(key, (turn, http.clone()));
        Ok(Self { shared: Arc::clone(&self.shared), http })
    }

    /// How many connectors with TLS settings of their own are kept.
    pub fn own_connectors(&self) -> usize {
        self.shared.own.lock().unwrap_or_else(PoisonError::into_inner).kept.len()
    }

    pub(crate) fn connector(&self) -> &GuardedConnector {
        &self.shared.connector
    }

    /// For what is not HTTP: the public authorities and the operator's own, no certificate of ours.
    pub(crate) fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.shared.tls
    }

    pub(crate) fn judge(&self) -> &Judge {
        &self.shared.connector.judge
    }

    pub(crate) fn proxy(&self) -> Option<&EgressProxy> {
        self.shared.connector.proxy.as_deref()
    }

    /// The one verdict about a URL: syntax, scheme, user information, port, and every address of its host.
    /// [`Refusal::Unresolvable`] may be accepted by whoever only stores the URL.
    pub async fn verdict(&self, text: &str) -> Result<Url, Refusal> {
        let url = read(text, &self.judge().policy)?;
        let host = url.host_str().ok_or(Refusal::Malformed("it names no host"))?;
        self.judge().vet(host).await?;
        Ok(url)
    }

    /// The part of the verdict that needs no look-up.
    pub fn verdict_on_syntax(&self, text: &str) -> Result<Url, Refusal> {
        read(text, &self.judge().policy)
    }

    /// Sends a request. Whatever the other side does, it ends within the time-out and keeps no more than the cap.
    pub async fn send(&self, request: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        let started = Instant::now();
        let limit = request.timeout;
        match tokio::time::timeout(limit, self.exchange(request)).await {
            Ok(Ok(answer)) => Ok(OutboundResponse { elapsed: started.elapsed(), ..answer }),
            Ok(Err((kind, text))) => Err(OutboundError { kind, text, elapsed: started.elapsed() }),
            Err(_) => {
                let text = format!("no complete answer within {} ms", limit.as_millis());
                Err(OutboundError { kind: OutboundFault::Timeout, text, elapsed: started.elapsed() })
            }
        }
    }

    async fn exchange(&self, request: OutboundRequest) -> Result<OutboundResponse, (OutboundFault, String)> {
        let may_repeat = request.repeatable || request.method.is_idempotent();
        let mut out = Request::new(Full::new(request.body));
        *out.method_mut() = request.method;
        *out.uri_mut() = request.uri;
        *out.headers_mut() = request.headers;
        let mut answer = self.http.send(out, may_repeat).await.map_err(|failure| classify(&failure))?;
        let (body, truncated) =
            read_capped(&mut answer, request.response_cap).await.map_err(|error| (OutboundFault::Protocol, error.to_string()))?;
        let (status, headers, remote) = (answer.status, std::mem::take(&mut answer.headers), answer.remote);
        if !truncated {
            answer.finish();
        }
        Ok(OutboundResponse { status, headers, body, truncated, elapsed: Duration::ZERO, remote })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("policy", &self.judge().policy).finish_non_exhaustive()
    }
}

/// The body up to `cap`, and whether there was more.
async fn read_capped(answer: &mut Answer, cap: usize) -> Result<(Bytes, bool), hyper::Error> {
    let mut whole = BytesMut::new();
    while !answer.is_over() {
        let Some(frame) = answer.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        let room = cap - whole.len();
        if data.len() > room {
            whole.extend_from_slice(&data[..room]);
            return Ok((whole.freeze(), true));
        }
        if whole.is_empty() && answer.is_over() {
            return Ok((data, false));
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), false))
}
