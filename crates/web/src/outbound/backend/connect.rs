//! Opening a connection to a backend.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::BackendAddress;
use super::fault::{BackendError, BackendFault};
use crate::outbound::resolve::Resolve;
use crate::outbound::stream::Stream;
use crate::outbound::tls;

/// How HTTP is spoken to a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendProtocol {
    /// On https as TLS agrees, HTTP/1.1 on http.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, on http with prior knowledge.
    Http2,
}

/// An open connection, and whether HTTP/2 is spoken on it.
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) http2: bool,
}

/// Opens connections to one backend.
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) protocol: BackendProtocol,
    pub(super) limit: Duration,
    usual: TlsConnector,
    /// Offers HTTP/1.1 only: what a WebSocket begins with.
    http1: TlsConnector,
}

impl Connector {
    pub(super) fn new(
        resolver: Arc<dyn Resolve>,
        protocol: BackendProtocol,
        limit: Duration,
        roots: &Arc<RootCertStore>,
    ) -> Result<Self, rustls::Error> {
        let both: &[&[u8]] = &[b"h2", b"http/1.1"];
        let usual = match protocol {
            BackendProtocol::Auto => both,
            BackendProtocol::Http1 => &both[1..],
            BackendProtocol::Http2 => &both[..1],
        };
        Ok(Self { resolver, protocol, limit, usual: offering(roots, usual)?, http1: offering(roots, &both[1..])? })
    }

    /// A connection to `address`, for HTTP as the protocol says; or for HTTP/1.1 alone. Bounded in time, TLS included.
    pub(super) async fn open(&self, address: &BackendAddress, http1_only: bool) -> Result<Opened, BackendError> {
        let late = || BackendError::new(BackendFault::ConnectTimeout, format!("no connection to {} in time", address.shown()));
        tokio::time::timeout(self.limit, self.dial(address, http1_only)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn dial(&self, address: &BackendAddress, http1_only: bool) -> Result<Opened, BackendError> {
        let unreachable = |why: std::io::Error| BackendError::new(BackendFault::Unreachable, format!("{}: {why}", address.shown()));
        let stream = self.first(address).await.map_err(unreachable)?;
        // Small requests must not wait for acknowledgements; without the option it works all the same.
        stream.set_nodelay(true).ok();
        let Some(name) = address.name.clone().filter(|_| address.secure) else {
            let http2 = self.protocol == BackendProtocol::Http2 && !http1_only;
            return Ok(Opened { stream: Stream::Plain(stream), http2 });
        };
        let connector = if http1_only { &self.http1 } else { &self.usual };
        let stream = connector.connect(name, stream).await.map_err(unreachable)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2") || self.protocol == BackendProtocol::Http2 && !http1_only;
        Ok(Opened { stream: Stream::Tls(Box::new(stream)), http2 })
    }

    /// The first of the host's addresses that answers.
    async fn first(&self, address: &BackendAddress) -> std::io::Result<TcpStream> {
        let found = match address.host.parse() {
            Ok(literal) => vec![literal],
            Err(_) => self.resolver.resolve(&address.host).await?,
        };
        let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host name has no address");
        for ip in found {
            #[allow(clippy::disallowed_methods, reason = "the operator's own backend: the address stands in the operator's blueprint")]
            match TcpStream::connect(SocketAddr::new(ip, address.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn offering(roots: &Arc<RootCertStore>, protocols: &[&[u8]]) -> Result<TlsConnector, rustls::Error> {
    let mut config = tls::builder(Arc::clone(roots))?.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(TlsConnector::from(Arc::new(config)))
}
