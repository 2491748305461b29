//! The serving side of a receiver.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Answer, Received, Shared};

/// Accepts until `stopped`. Every connection belongs to the runtime, which ends here.
pub(super) fn serve(listener: TcpListener, shared: Arc<Shared>, tls: Option<Arc<rustls::ServerConfig>>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is a TCP socket");
        tokio::select! {
            () = accept(listener, shared, tls.map(TlsAcceptor::from)) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    loop {
        // A connection that is gone before it is accepted concerns nobody.
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small answers leave at once; a socket that cannot be told so still works.
        let _ = stream.set_nodelay(true);
        let (shared, tls) = (shared.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, shared).await,
                // Who does not get through the handshake has said nothing.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| handle(shared.clone(), request));
    // An error here is the client's leaving, or the script's `Drop`.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The script says: no answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped as scripted")
    }
}

impl std::error::Error for Dropped {}

async fn handle(shared: Arc<Shared>, request: hyper::Request<Incoming>) -> Result<hyper::Response<Full<Bytes>>, Dropped> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = head.uri.path_and_query().map_or_else(|| head.uri.path().to_owned(), ToString::to_string);
    let mut answer = shared.next_answer();
    shared.record(Received { method: head.method, path, headers: head.headers, body, at: Instant::now() });
    loop {
        answer = match answer {
            Answer::Respond { status, headers, body } => {
                let mut response = hyper::Response::new(Full::new(body));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                return Ok(response);
            }
            Answer::Held(gate, next) => {
                gate.passed().await;
                *next
            }
            Answer::After(delay, next) => {
                tokio::time::sleep(delay).await;
                *next
            }
            Answer::Hang => std::future::pending().await,
            Answer::Drop => return Err(Dropped),
        }
    }
}
