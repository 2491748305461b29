//! The connector: resolves, vets every address, connects to a vetted one, through the egress proxy if there is one.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::outbound::failure::ConnectFault;
use crate::outbound::proxy::EgressProxy;
use crate::outbound::refusal::Refusal;
use crate::outbound::verdict::{Judge, Reach};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// One address may take so long while there are others to try.
const NEXT_AFTER: Duration = Duration::from_secs(3);

/// Opens TCP connections to vetted addresses only.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    pub(crate) judge: Judge,
    pub(crate) proxy: Option<Arc<EgressProxy>>,
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectFault;
    type Future = BoxFuture<Self::Response, ConnectFault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await.map(TokioIo::new) })
    }
}

impl GuardedConnector {
    async fn connect(&self, uri: &Uri) -> Result<TcpStream, ConnectFault> {
        let standard = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") if self.judge.policy.allow_http => 80,
            _ => return Err(ConnectFault::Refused(Refusal::Scheme)),
        };
        let host = uri.host().ok_or(ConnectFault::Refused(Refusal::Malformed("it names no host")))?;
        let port = uri.port_u16().unwrap_or(standard);
        if port == 0 {
            return Err(ConnectFault::Refused(Refusal::Port));
        }
        self.dial(host, port, |_| Ok(())).await
    }

    /// A connection to a host at an address that was just vetted, if `agreed` has nothing against these addresses either. Where names are
    /// left to the proxy it is asked about none.
    pub(crate) async fn dial(
        &self,
        host: &str,
        port: u16,
        agreed: impl Fn(&[IpAddr]) -> Result<(), Refusal>,
    ) -> Result<TcpStream, ConnectFault> {
        match self.judge.vet(host).await.map_err(ConnectFault::Refused)? {
            Reach::Addresses(addresses) => {
                agreed(&addresses).map_err(ConnectFault::Refused)?;
                self.first_of(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()).await
            }
            Reach::Name(name) => {
                agreed(&[]).map_err(ConnectFault::Refused)?;
                self.by_proxy(&format!("{name}:{port}")).await
            }
        }
    }

    async fn first_of(&self, addresses: Vec<SocketAddr>) -> Result<TcpStream, ConnectFault> {
        let (mut last, count) = (None, addresses.len());
        for (at, address) in addresses.into_iter().enumerate() {
            // The last one has all the time that is left: the caller's time-out ends it.
            let opened = if at + 1 == count {
                self.open(address).await
            } else {
                let late = |_| Err(ConnectFault::Connect(std::io::ErrorKind::TimedOut.into()));
                tokio::time::timeout(NEXT_AFTER, self.open(address)).await.unwrap_or_else(late)
            };
            match opened {
                // Another address does not mend the proxy.
                Ok(_) | Err(ConnectFault::Proxy(_)) => return opened,
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| ConnectFault::Connect(std::io::ErrorKind::AddrNotAvailable.into())))
    }

    /// A connection to an address that was vetted.
    async fn open(&self, address: SocketAddr) -> Result<TcpStream, ConnectFault> {
        if self.proxy.is_some() {
            return self.by_proxy(&address.to_string()).await;
        }
        #[allow(clippy::disallowed_methods, reason = "this is the guarded client: the address was vetted by the caller")]
        let stream = TcpStream::connect(address).await.map_err(ConnectFault::Connect)?;
        // Small requests must not wait for the other side's acknowledgement. If the option cannot be set the connection works all the same.
        stream.set_nodelay(true).ok();
        Ok(stream)
    }

    async fn by_proxy(&self, target: &str) -> Result<TcpStream, ConnectFault> {
        match &self.proxy {
            Some(proxy) => proxy.tunnel(target, self.judge.resolver.as_ref()).await,
            None => Err(ConnectFault::Refused(Refusal::Unresolvable)),
        }
    }
}

/// Bounds another connector's time, TLS handshake included: the HTTP client may go on connecting after whoever wanted it has given up.
#[derive(Clone)]
pub(crate) struct Timed<C> {
    pub(crate) inner: C,
    pub(crate) limit: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<C::Response, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.inner.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(Box::new(ConnectFault::Timeout))) })
    }
}
