//! The connector: resolves, vets every address, connects to a vetted one.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::outbound::failure::ConnectFault;
use crate::outbound::policy::UrlPolicy;
use crate::outbound::refusal::Refusal;
use crate::outbound::resolve::Resolve;
use crate::outbound::verdict::vet;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// One address may take so long while there are others to try.
const NEXT_AFTER: Duration = Duration::from_secs(3);

/// Opens TCP connections to vetted addresses only.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    pub(crate) policy: Arc<UrlPolicy>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectFault;
    type Future = BoxFuture<Self::Response, ConnectFault>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { policy, resolver } = self.clone();
        Box::pin(async move { connect(&uri, &policy, resolver.as_ref()).await.map(TokioIo::new) })
    }
}

async fn connect(uri: &Uri, policy: &UrlPolicy, resolver: &dyn Resolve) -> Result<TcpStream, ConnectFault> {
    let standard = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") if policy.allow_http => 80,
        _ => return Err(ConnectFault::Refused(Refusal::Scheme)),
    };
    let host = uri.host().ok_or(ConnectFault::Refused(Refusal::Malformed("it names no host")))?;
    let port = uri.port_u16().unwrap_or(standard);
    if port == 0 {
        return Err(ConnectFault::Refused(Refusal::Port));
    }
    let addresses = vet(host, policy, resolver).await.map_err(ConnectFault::Refused)?;
    let (mut last, count) = (None, addresses.len());
    for (at, address) in addresses.into_iter().enumerate() {
        #[allow(clippy::disallowed_methods, reason = "this is the guarded client: the address was vetted above")]
        let opening = TcpStream::connect(SocketAddr::new(address, port));
        // The last one has all the time that is left: the caller's time-out ends it.
        let opened = if at + 1 == count {
            opening.await
        } else {
            tokio::time::timeout(NEXT_AFTER, opening).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
        };
        match opened {
            Ok(stream) => {
                // Small requests must not wait for the other side's acknowledgement. If the option cannot be set the connection works all the same.
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(ConnectFault::Connect(last.unwrap_or_else(|| std::io::ErrorKind::AddrNotAvailable.into())))
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
