//! The HTTP side: connections, bounds, statuses.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::verify::{Verdict, verdict};
use super::{Delivery, State};

/// A delivery is at most this long.
const MAX_BODY: usize = 4 << 20;
/// Connections at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// A request's head must be there within this time.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// Accepts connections until it is aborted; its connections end with it.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
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
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
            // A connection that breaks is the sender's affair; it will try again.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: &State) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Ok(status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else { return Ok(status(StatusCode::PAYLOAD_TOO_LARGE)) };
    let delivery = read(&parts, &body.to_bytes(), state);
    let code = match delivery.verdict {
        Verdict::Genuine => StatusCode::NO_CONTENT,
        Verdict::Forged(_) => StatusCode::UNAUTHORIZED,
        Verdict::NoSecret => StatusCode::SERVICE_UNAVAILABLE,
    };
    state.take(delivery);
    Ok(status(code))
}

fn read(parts: &Parts, body: &[u8], state: &State) -> Delivery {
    let received_at = state.options.ambient.now();
    let verdict = {
        let secrets = state.secrets.read().expect("no holder of this lock panics");
        verdict(&secrets, state.options.legacy_header.as_deref(), &parts.headers, body, received_at)
    };
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let event_type = parsed["type"].as_str().or_else(|| parsed["eventType"].as_str()).unwrap_or_default().to_owned();
    let id = parts.headers.get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = String::from_utf8_lossy(body).into_owned();
    Delivery { id, event_type, path: parts.uri.path().to_owned(), body, verdict, received_at }
}

fn status(code: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = code;
    response
}
