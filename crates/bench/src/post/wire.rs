//! The two ways to post: through a pooling client as a program would, and on connections held by hand.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{Kind, Mould};

/// One sender.
pub(super) enum Poster {
    Client(Box<Client<HttpConnector, Full<Bytes>>>),
    Raw { to: SocketAddr, connection: Option<SendRequest<Full<Bytes>>> },
}

impl Poster {
    /// As many senders as are in flight; clients share one pool.
    pub(super) fn several(kind: Kind, to: SocketAddr, count: usize) -> Vec<Self> {
        match kind {
            Kind::Client => {
                let mut connector = HttpConnector::new();
                connector.set_nodelay(true);
                let client = Client::builder(TokioExecutor::new()).build(connector);
                (0..count).map(|_| Self::Client(Box::new(client.clone()))).collect()
            }
            Kind::Raw => (0..count).map(|_| Self::Raw { to, connection: None }).collect(),
        }
    }

    /// Posts one delivery. Error: anything but a 2xx.
    pub(super) async fn post(&mut self, mould: &Mould, id: &str) -> Result<()> {
        match self {
            Self::Client(client) => {
                let response = client.request(mould.signed(id)).await?;
                ensure!(response.status().is_success(), "status {}", response.status());
                response.into_body().collect().await?;
                Ok(())
            }
            Self::Raw { to, connection } => raw(connection, *to, mould.copy(id)).await,
        }
    }
}

async fn raw(kept: &mut Option<SendRequest<Full<Bytes>>>, to: SocketAddr, request: Request<Full<Bytes>>) -> Result<()> {
    // Taken out, so that a connection on which anything fails is not used again.
    let mut connection = match kept.take() {
        Some(connection) if !connection.is_closed() => connection,
        _ => connect(to).await?,
    };
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    ensure!(response.status().is_success(), "status {}", response.status());
    response.into_body().collect().await?;
    *kept = Some(connection);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the generator speaks to loopback only, checked first, and must cost nothing")]
async fn connect(to: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
