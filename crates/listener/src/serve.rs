//! Connections: accepting them, serving HTTP on them, and letting them finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use kernel::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::edge::Edge;

/// How long a client may take to send the head of a request, and how long a connection may be idle before the next one.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a client may take over its TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Most header fields of a request.
const MAX_HEADERS: usize = 100;
/// Wait before the next accept after one that failed.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// One address that is served.
pub struct Door {
    /// Where connections arrive.
    pub listener: TcpListener,
    /// TLS 1.2 and 1.3, if it is spoken here; ALPN decides between HTTP/2 and HTTP/1.1.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Who answers.
    pub edge: Arc<Edge>,
}

/// Takes an address. Error: 409 `cannot_listen`.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let text = format!("Cannot listen on {address}: is another server running there?");
        Error::conflict("cannot_listen", text).caused_by(error)
    })
}

/// Serves until `stop` turns true, then finishes what is under way, at most for `grace`: HTTP/1.1 connections end with their present answer,
/// HTTP/2 ones are told to go away and end with their last stream, idle ones end at once.
pub async fn serve(door: Door, mut stop: watch::Receiver<bool>, grace: Duration) {
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder());
    let acceptor = door.tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            () = told_to_stop(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, or a connection that died at once: the next accept may succeed.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let connection = Connection { edge: Arc::clone(&door.edge), builder: Arc::clone(&builder), watcher: graceful.watcher(), peer };
        match &acceptor {
            None => drop(tokio::spawn(connection.run(stream))),
            Some(acceptor) => drop(tokio::spawn(connection.secure(acceptor.clone(), stream, stop.clone()))),
        }
    }
    drop(door.listener);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(MAX_HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEAD_TIME)).max_concurrent_streams(256);
    builder
}

/// Returns once `stop` is true, or nobody is left who could say so.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A connection that was accepted.
struct Connection {
    edge: Arc<Edge>,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
    peer: SocketAddr,
}

impl Connection {
    async fn secure(self, acceptor: TlsAcceptor, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        let handshake = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            // Nothing was asked yet, so nothing is owed.
            () = told_to_stop(&mut stop) => return,
        };
        match outcome {
            Ok(Ok(stream)) => self.run(stream).await,
            // Scanners and health checks of load balancers come by all day: a number, not a line each.
            Ok(Err(_)) => metrics::counter!("tradewind_tls_handshake_failures_total", "reason" => "refused").increment(1),
            Err(_) => metrics::counter!("tradewind_tls_handshake_failures_total", "reason" => "timeout").increment(1),
        }
    }

    async fn run(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let _open = Open::new();
        let Self { edge, builder, watcher, peer } = self;
        let service = hyper::service::service_fn(move |request| Arc::clone(&edge).answer(request, peer));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        // A client that breaks off is no news.
        let _ = watcher.watch(connection).await;
    }
}

/// Counts a connection while it stands.
struct Open;

impl Open {
    fn new() -> Self {
        metrics::gauge!("tradewind_connections").increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("tradewind_connections").decrement(1.0);
    }
}
