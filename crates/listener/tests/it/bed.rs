//! A listener on loopback, and clients for it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::Ambient;
use listener::{AccessLog, Door, Edge, Live};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use testkit::tls::{Authority, Identity};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A running listener.
pub(crate) struct Bed {
    pub(crate) address: SocketAddr,
    pub(crate) live: Arc<Live>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinHandle<()>,
}

impl Bed {
    pub(crate) async fn start(router: Router, tls: Option<Arc<rustls::ServerConfig>>, log: Option<Arc<AccessLog>>) -> Self {
        let listener = listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let live = Live::new(router);
        let edge = Arc::new(Edge::new(Arc::clone(&live), Ambient::system()).with_log(log));
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listener::serve(Door { listener, tls, edge }, stopped, Duration::from_secs(20)));
        Self { address, live, stop, serving }
    }
}

/// Answers `GET /` with this text.
pub(crate) fn says(text: &'static str) -> Router {
    Router::new().route("/", get(move || async move { text }))
}

pub(crate) fn write(dir: &Path, identity: &Identity) {
    // The way certificate tools do it: a new file takes the old one's place.
    for (name, text) in [("cert.pem", &identity.certificate), ("key.pem", &identity.key)] {
        let fresh = dir.join(format!("{name}.new"));
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(&fresh, dir.join(name)).unwrap();
    }
}

/// A client that trusts `authority`, for one protocol (`h2`, `http/1.1`).
pub(crate) fn trusting(authority: &Authority, protocol: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

pub(crate) async fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::clone(config)).connect(ServerName::from(address.ip()), stream).await
}

/// The server's certificate as this connection got it.
pub(crate) fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

pub(crate) async fn http1<S>(stream: S) -> http1::SendRequest<Empty<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) async fn http2<S>(stream: S) -> http2::SendRequest<Empty<Bytes>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A request for HTTP/1.1 or, with a whole URI, HTTP/2.
pub(crate) fn request(address: SocketAddr, version: Version, path: &str) -> Request<Empty<Bytes>> {
    let uri = if version == Version::HTTP_2 { format!("https://{address}{path}") } else { path.to_owned() };
    Request::builder().uri(uri).header("host", address.to_string()).body(Empty::new()).unwrap()
}

pub(crate) async fn text(response: Response<hyper::body::Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
