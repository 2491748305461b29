//! The counting receiver: a hyper server on a thread of its own that does as little as it can for each delivery, so that it is not
//! what limits a measurement. It counts by `webhook-id` into a [`Ledger`] and can be told to fail.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;

use crate::clock;
use crate::ledger::Ledger;

/// A delivery is at most this long.
const MAX_BODY: usize = 4 << 20;

/// How the receiver answers. Only answers of 2xx are counted as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// 204 to everything.
    Healthy,
    /// `status` to `percent` of the deliveries, evenly spread, and 204 to the others.
    Failing {
        /// The status, for example 503.
        status: u16,
        /// 0 to 100.
        percent: u8,
    },
    /// Takes the delivery and never answers.
    Hanging,
}

/// One delivery as it stood on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Capture {
    /// Path and query.
    pub path: String,
    /// Every header, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

#[derive(Debug)]
struct State {
    ledger: ArcSwap<Ledger>,
    behaviour: ArcSwap<Behaviour>,
    requests: AtomicU64,
    wants_capture: AtomicBool,
    capture: Mutex<Option<Capture>>,
    stop: Notify,
}

/// A running receiver; it stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1 and counts into `ledger`.
    pub fn start(ledger: Arc<Ledger>) -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("binding the receiver")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            ledger: ArcSwap::new(ledger),
            behaviour: ArcSwap::from_pointee(Behaviour::Healthy),
            requests: AtomicU64::new(0),
            wants_capture: AtomicBool::new(false),
            capture: Mutex::new(None),
            stop: Notify::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("receiver".to_owned()).spawn({
            let state = state.clone();
            move || runtime.block_on(serve(listener, state))
        })?;
        Ok(Self { address, state, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a webhook's URL.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on counts into `ledger`.
    pub fn count_into(&self, ledger: Arc<Ledger>) {
        self.state.ledger.store(ledger);
    }

    /// From now on answers so.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.behaviour.store(Arc::new(behaviour));
    }

    /// How many requests have come, whatever they were and whatever they were answered.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// Keeps the next delivery for [`Receiver::captured`].
    pub fn capture_next(&self) {
        self.state.wants_capture.store(true, Ordering::SeqCst);
    }

    /// The delivery that [`Receiver::capture_next`] asked for, once it came.
    pub fn captured(&self) -> Option<Capture> {
        self.state.capture.lock().expect("no holder of this lock panics").take()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.state.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed by it already.
            let _ = thread.join();
        }
    }
}

/// An address of 127.0.0.1 that refuses every connection: bound, so that nobody else can take it, and never listening.
#[derive(Debug)]
pub struct Refuser(TcpSocket);

impl Refuser {
    /// Takes a free port.
    pub fn new() -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(Self(socket))
    }

    /// The address as a webhook's URL.
    pub fn url(&self) -> Result<String> {
        Ok(format!("http://{}/dead", self.0.local_addr()?))
    }
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let listener = TcpListener::from_std(listener).expect("a non-blocking listener inside a runtime");
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, most likely: give the open connections a moment to end.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let state = state.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, &state));
                    // A connection that breaks is the other side's affair: a killed server breaks hundreds.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            () = state.stop.notified() => return,
        }
    }
}

async fn answer(request: Request<Incoming>, state: &State) -> Result<Response<Empty<Bytes>>, Infallible> {
    let number = state.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else { return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE)) };
    match **state.behaviour.load() {
        Behaviour::Hanging => std::future::pending().await,
        Behaviour::Failing { status, percent } if falls_on(number, percent) => {
            return Ok(empty(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)));
        }
        Behaviour::Healthy | Behaviour::Failing { .. } => {}
    }
    let id = parts.headers.get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    state.ledger.load().receive(id, clock::now_ns());
    if state.wants_capture.load(Ordering::Relaxed) && state.wants_capture.swap(false, Ordering::SeqCst) {
        keep(state, &parts, &body.to_bytes());
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

fn keep(state: &State, parts: &http::request::Parts, body: &[u8]) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let capture = Capture {
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect(),
        body: text(body),
    };
    *state.capture.lock().expect("no holder of this lock panics") = Some(capture);
}

/// Spreads `percent` of every hundred requests evenly, without chance: request 0 falls under any percentage above 0.
fn falls_on(number: u64, percent: u8) -> bool {
    let (position, percent) = (number % 100, u64::from(percent.min(100)));
    (position * percent) % 100 < percent
}

fn empty(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Wire, write_request};

    #[test]
    fn failures_are_as_many_as_asked() {
        for percent in 0..=100 {
            assert_eq!((0..1000).filter(|n| falls_on(*n, percent)).count(), usize::from(percent) * 10, "{percent}");
        }
    }

    #[tokio::test]
    async fn counts_answers_captures_and_fails() {
        let ledger = Arc::new(Ledger::new("e", 10));
        let receiver = Receiver::start(ledger.clone()).unwrap();
        receiver.capture_next();
        let mut wire = Wire::connect(receiver.address()).await.unwrap();
        let post = |id: &str| {
            let mut out = Vec::new();
            write_request(&mut out, "POST", "/hook", &[("webhook-id", id)], Some(b"{\"a\":1}"));
            out
        };
        assert_eq!(wire.exchange(&post("e1")).await.unwrap().status, 204);
        assert_eq!(wire.exchange(&post("e1")).await.unwrap().status, 204);
        let capture = receiver.captured().unwrap();
        assert_eq!((capture.path.as_str(), capture.body.as_str()), ("/hook", "{\"a\":1}"));
        assert!(capture.headers.contains(&("webhook-id".to_owned(), "e1".to_owned())));

        receiver.behave(Behaviour::Failing { status: 503, percent: 100 });
        assert_eq!(wire.exchange(&post("e2")).await.unwrap().status, 503);
        assert_eq!((ledger.unique(), ledger.duplicates(), receiver.requests()), (1, 1, 3));

        receiver.behave(Behaviour::Hanging);
        assert!(tokio::time::timeout(Duration::from_millis(100), wire.exchange(&post("e3"))).await.is_err());
        assert_eq!(ledger.unique(), 1);
    }

    #[tokio::test]
    async fn the_refuser_refuses() {
        let refuser = Refuser::new().unwrap();
        let address = refuser.0.local_addr().unwrap();
        assert_eq!(Wire::connect(address).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    }
}
