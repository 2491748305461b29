//! Connections and their bounds.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Answer, Call, Ending, Vendor, handle};

/// A request's body is at most this long: a file of a bulk job.
const MAX_BODY: usize = 150 << 20;
/// Connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;
/// A request's head must be there within this time.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);

type Body = BoxBody<Bytes, io::Error>;

/// Accepts connections until it is aborted; they end with it.
pub(super) async fn accept<V: Vendor>(listener: TcpListener, vendor: Arc<V>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: give the open connections a moment to end.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let vendor = vendor.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answered(request, &*vendor));
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
            // A connection that breaks is the caller's affair; some are broken on purpose.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answered<V: Vendor>(request: Request<Incoming>, vendor: &V) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut call = Call::new(parts.method, target);
    call.headers = parts.headers;
    call.body = Limited::new(body, MAX_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
    let answer = handle(vendor, call);
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    response(answer)
}

fn response(answer: Answer) -> io::Result<Response<Body>> {
    let broken = || io::Error::new(io::ErrorKind::ConnectionAborted, "the double breaks off, as it was told to");
    let mut response = match answer.ending {
        Ending::Never => return Err(broken()),
        Ending::Whole => Response::new(Full::new(answer.body).map_err(|never| match never {}).boxed()),
        Ending::Half => {
            let whole = answer.body.len();
            let half = answer.body.slice(..whole / 2);
            let frames = stream::iter([Ok(Frame::data(half)), Err(broken())]);
            let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
            response.headers_mut().insert(CONTENT_LENGTH, whole.into());
            response
        }
    };
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    Ok(response)
}
