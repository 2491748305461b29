//! Connections of other protocols than HTTP, under the same verdict: brokers are called from inside the operator's network too.
//!
//! A client library that resolves names by itself cannot be guarded, so the channels' clients are given a connection that is open already:
//! to an address that was vetted a moment ago, and, if it is encrypted, checked against the name that the tenant wrote.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::outbound::client::Client;
use crate::outbound::failure::{ConnectFault, OutboundError, OutboundFault};
use crate::outbound::refusal::Refusal;
use crate::outbound::verdict::Reach;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// In the clear at first, and then TLS: the caller goes on with [`Client::secure`] before it says anything of its own.
    Later,
    /// Never: allowed in development, and towards networks that the operator has allowed by name.
    Clear,
}

/// The other end of a connection that is not HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// A name or an address; IPv6 with or without brackets.
    pub host: String,
    /// Not 0.
    pub port: u16,
    /// How it is protected.
    pub security: Security,
}

/// A guarded connection.
#[derive(Debug)]
pub enum Stream {
    /// In the clear.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Client {
    /// The verdict about a peer: its port, its protection, and every address of its host.
    /// [`Refusal::Unresolvable`] may be accepted by whoever only stores it.
    pub async fn verdict_on_peer(&self, peer: &Peer) -> Result<(), Refusal> {
        if peer.port == 0 {
            return Err(Refusal::Port);
        }
        let addresses = match self.judge().vet(&peer.host).await? {
            Reach::Addresses(addresses) => addresses,
            Reach::Name(_) => Vec::new(),
        };
        if peer.security == Security::Clear { self.judge().policy.check_clear(&addresses) } else { Ok(()) }
    }

    /// Opens a connection to an address of the peer that has just been vetted, within `limit`.
    pub async fn open(&self, peer: &Peer, limit: Duration) -> Result<Stream, OutboundError> {
        let started = Instant::now();
        let opening = async {
            let stream = Stream::Plain(self.dial(peer).await?);
            if peer.security == Security::Tls { self.handshake(stream, &peer.host).await } else { Ok(stream) }
        };
        bounded(started, limit, opening).await
    }

    /// TLS over a connection that began in the clear ([`Security::Later`]). `host` is what the certificate must name.
    pub async fn secure(&self, stream: Stream, host: &str, limit: Duration) -> Result<Stream, OutboundError> {
        bounded(Instant::now(), limit, self.handshake(stream, host)).await
    }

    async fn dial(&self, peer: &Peer) -> Result<TcpStream, (OutboundFault, String)> {
        let clear = peer.security == Security::Clear;
        let policy = &self.judge().policy;
        let agreed = |addresses: &[IpAddr]| if clear { policy.check_clear(addresses) } else { Ok(()) };
        let dialled = self.connector().dial(&peer.host, peer.port, agreed).await;
        dialled.map_err(|fault| (fault.kind(), fault.to_string()))
    }

    async fn handshake(&self, stream: Stream, host: &str) -> Result<Stream, (OutboundFault, String)> {
        let fault = |error: &dyn std::fmt::Display| (OutboundFault::Tls, format!("no TLS session: {error}"));
        let Stream::Plain(stream) = stream else { return Ok(stream) };
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| fault(&error))?;
        let connector = TlsConnector::from(Arc::clone(self.tls()));
        let secured = connector.connect(name, stream).await.map_err(|error| fault(&error))?;
        Ok(Stream::Tls(Box::new(secured)))
    }
}

async fn bounded<T>(
    started: Instant,
    limit: Duration,
    work: impl Future<Output = Result<T, (OutboundFault, String)>>,
) -> Result<T, OutboundError> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err((kind, text))) => Err(OutboundError { kind, text, elapsed: started.elapsed() }),
        Err(_) => Err(OutboundError { kind: OutboundFault::Timeout, text: ConnectFault::Timeout.to_string(), elapsed: started.elapsed() }),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
