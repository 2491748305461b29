//! Connections that are kept, by scheme and authority: HTTP/1.1 ones for one request at a time, an HTTP/2 one for many.
//!
//! The library's pool costs about as much as a whole exchange over the loopback interface ([ADR 0013](../../../../docs/adr/0013-own-connection-pool.md)):
//! it spawns a task to wait for each connection and watches a timer for each request. Here an HTTP/1.1 connection is driven by the task of its
//! request ([`super::driven`]) and goes back when its answer has been read.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::response::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, Uri, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{TrySendError, http2};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{Connection as _, HttpInfo};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use tower_service::Service as _;

use crate::outbound::connect::{GuardedConnector, Timed};
use crate::outbound::driven::Driven;
use crate::outbound::heard::{self, Heard, Listened};

/// The most bytes that are buffered of an answer's head.
const HEAD: usize = 128 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Outgoing = Request<Full<Bytes>>;
type Connector = Timed<HttpsConnector<GuardedConnector>>;
/// What the connector opens.
type Io = <Connector as tower_service::Service<Uri>>::Response;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or no TLS session on it.
    Connect(BoxError),
    /// The other side broke off, or does not speak HTTP.
    Exchange(hyper::Error),
}

/// What a pool keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Idle HTTP/1.1 connections per host.
    pub(crate) per_host: usize,
    /// How long an idle connection is kept.
    pub(crate) time: Duration,
}

/// Connections of one configuration. Clones share them.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    connector: Connector,
    kept: Kept,
    hosts: Mutex<HashMap<Key, Host>>,
    is_swept: AtomicBool,
}

type Key = (bool, Authority);

#[derive(Default)]
struct Host {
    idle: Vec<Single>,
    shared: Option<(Multiple, Instant)>,
}

/// An HTTP/1.1 connection that nobody else uses.
struct Single {
    driven: Box<Driven<Listened<Io>, Full<Bytes>>>,
    heard: Heard,
    remote: Option<SocketAddr>,
}

/// An HTTP/2 connection.
#[derive(Clone)]
struct Multiple {
    sender: http2::SendRequest<Full<Bytes>>,
    remote: Option<SocketAddr>,
}

enum Connection {
    Single(Single),
    Multiple(Multiple),
}

/// An answer whose body is still to be read. Dropped before its end it takes its connection with it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) remote: Option<SocketAddr>,
    body: Incoming,
    back: Option<Back>,
}

/// The connection that an answer comes by, and where it goes when the answer has been read.
struct Back {
    pool: Pool,
    key: Key,
    single: Single,
}

impl Pool {
    pub(crate) fn new(connector: Connector, kept: Kept) -> Self {
        Self(Arc::new(Shared { connector, kept, hosts: Mutex::default(), is_swept: AtomicBool::new(false) }))
    }

    /// Sends a request to an absolute URI. One that a kept connection turned out not to take goes out on another. One that it took and then
    /// ended without a byte of an answer goes out on a new connection, once, if it `may_repeat` (RFC 9112 §9.3.1): whether the other side saw
    /// it before it closed cannot be known.
    pub(crate) async fn send(&self, mut request: Outgoing, may_repeat: bool) -> Result<Answer, Failure> {
        let uri = std::mem::take(request.uri_mut());
        let key = key(&uri)?;
        let mut is_repeated = false;
        loop {
            let kept = if is_repeated { None } else { self.take(&key).await };
            let is_new = kept.is_none();
            let connection = match kept {
                Some(connection) => connection,
                // Apart: every request would carry its room otherwise.
                None => Box::pin(self.connect(&key, &uri)).await?,
            };
            let copy = (may_repeat && !is_new).then(|| request.clone());
            let (mut unsent, was_silent) = match self.exchange(connection, request, &key, &uri).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            (request, is_repeated) = match (unsent.take_message().filter(|_| !is_new), copy.filter(|_| was_silent)) {
                (Some(message), _) => (message, is_repeated),
                (None, Some(copy)) => (copy, true),
                (None, None) => return Err(Failure::Exchange(unsent.into_error())),
            };
        }
    }

    /// One request on one connection. The failure says whether the connection ended without a byte of an answer.
    async fn exchange(
        &self,
        connection: Connection,
        mut request: Outgoing,
        key: &Key,
        uri: &Uri,
    ) -> Result<Answer, (TrySendError<Outgoing>, bool)> {
        let (response, remote, back) = match connection {
            Connection::Single(mut single) => {
                single_form(&mut request, &key.1, uri);
                single.heard.forget();
                let outcome = single.driven.send(request, || None).await.expect("a request that has no time of its own ends by an answer");
                let response = outcome.map_err(|unsent| (unsent, !single.heard.is_any()))?;
                (response, single.remote, Some(Back { pool: self.clone(), key: key.clone(), single }))
            }
            Connection::Multiple(mut multiple) => {
                multiple_form(&mut request, uri);
                let outcome = multiple.sender.try_send_request(request).await;
                // What ends one stream is an answer; what ends the connection is none.
                let response = outcome.map_err(|unsent| (unsent, multiple.sender.is_closed()))?;
                (response, multiple.remote, None)
            }
        };
        let (Parts { status, headers, .. }, body) = response.into_parts();
        Ok(Answer { status, headers, remote, body, back })
    }

    /// A kept connection that takes a request.
    async fn take(&self, key: &Key) -> Option<Connection> {
        loop {
            match self.pop(key)? {
                Connection::Single(mut single) => {
                    // Otherwise it was closed, or lay too long.
                    if single.driven.is_fit(self.0.kept.time) {
                        return Some(Connection::Single(single));
                    }
                }
                Connection::Multiple(mut multiple) => {
                    if multiple.sender.ready().await.is_ok() {
                        return Some(Connection::Multiple(multiple));
                    }
                    self.0.lock().entry(key.clone()).or_default().shared = None;
                }
            }
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the age of connections, not the time of what happens")]
    fn pop(&self, key: &Key) -> Option<Connection> {
        let mut hosts = self.0.lock();
        let host = hosts.get_mut(key)?;
        if let Some((multiple, used)) = &mut host.shared {
            if !multiple.sender.is_closed() {
                *used = Instant::now();
                return Some(Connection::Multiple(multiple.clone()));
            }
            host.shared = None;
        }
        // The last one first: the others may grow old and go.
        host.idle.pop().map(Connection::Single)
    }

    #[allow(clippy::disallowed_methods, reason = "the age of connections, not the time of what happens")]
    async fn connect(&self, key: &Key, uri: &Uri) -> Result<Connection, Failure> {
        let io = self.0.connector.clone().call(uri.clone()).await.map_err(Failure::Connect)?;
        let connected = io.connected();
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        let remote = extras.get::<HttpInfo>().map(HttpInfo::remote_addr);
        if connected.is_negotiated_h2() {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            let (sender, driver) = builder.timer(TokioTimer::new()).handshake(io).await.map_err(Failure::Exchange)?;
            // How it ends, its requests say.
            tokio::spawn(async move { drop(driver.await) });
            let multiple = Multiple { sender, remote };
            self.keep(key, |host| host.shared = Some((multiple.clone(), Instant::now())));
            return Ok(Connection::Multiple(multiple));
        }
        let (io, heard) = heard::listen(io);
        let driven = Driven::begin(io, HEAD).await.map_err(Failure::Exchange)?;
        Ok(Connection::Single(Single { driven, heard, remote }))
    }

    fn keep(&self, key: &Key, put: impl FnOnce(&mut Host)) {
        let mut hosts = self.0.lock();
        match hosts.get_mut(key) {
            Some(host) => put(host),
            None => put(hosts.entry(key.clone()).or_default()),
        }
        drop(hosts);
        if !self.0.is_swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Arc::downgrade(&self.0), self.0.kept.time));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// Whether nothing more of it comes.
    pub(crate) fn is_over(&self) -> bool {
        self.body.is_end_stream()
    }

    /// The next part of its body; none at its end.
    pub(crate) async fn frame(&mut self) -> Option<hyper::Result<Frame<Bytes>>> {
        match &mut self.back {
            Some(back) => back.single.driven.frame(&mut self.body).await,
            None => self.body.frame().await,
        }
    }

    /// It has been read to its end: its connection is kept for another request.
    pub(crate) fn finish(self) {
        if let Some(Back { pool, key, mut single }) = self.back
            && single.driven.settle()
        {
            let most = pool.0.kept.per_host;
            pool.keep(&key, |host| {
                if host.idle.len() < most {
                    host.idle.push(single);
                }
            });
        }
    }
}

/// Closes connections that nobody has used for the time that they are kept, for as long as there are any.
async fn sweep(pool: Weak<Shared>, time: Duration) {
    loop {
        tokio::time::sleep(time / 4).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut hosts = pool.lock();
        hosts.retain(|_, host| {
            host.idle.retain_mut(|single| single.driven.is_fit(time));
            host.shared.take_if(|(multiple, used)| multiple.sender.is_closed() || used.elapsed() >= time);
            !host.idle.is_empty() || host.shared.is_some()
        });
        hosts.shrink_to_fit();
        if hosts.is_empty() {
            pool.is_swept.store(false, Ordering::Release);
            return;
        }
    }
}

fn key(uri: &Uri) -> Result<Key, Failure> {
    let authority = uri.authority().ok_or_else(|| Failure::Connect("the URI names no host".into()))?;
    Ok((uri.scheme() == Some(&Scheme::HTTPS), authority.clone()))
}

/// As HTTP/1.1 wants it: the path alone, and the host in a header (RFC 9112 §3.2).
fn single_form(request: &mut Outgoing, authority: &Authority, uri: &Uri) {
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    *request.version_mut() = Version::HTTP_11;
    if !request.headers().contains_key(HOST) {
        let standard = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let host = if authority.port_u16() == Some(standard) { authority.host() } else { authority.as_str() };
        if let Ok(host) = HeaderValue::from_str(host) {
            request.headers_mut().insert(HOST, host);
        }
    }
}

/// As HTTP/2 wants it: everything in the URI.
fn multiple_form(request: &mut Outgoing, uri: &Uri) {
    *request.uri_mut() = uri.clone();
    *request.version_mut() = Version::HTTP_2;
    request.headers_mut().remove(HOST);
}
