//! A receiver of webhooks inside the test: records what comes and answers as scripted.
//!
//! It runs on a thread and a runtime of its own, so that a busy test does not slow it and stopping it closes every connection.

mod answer;
mod serve;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::{oneshot, watch};

pub use answer::{Answer, Gate};

/// A request that came, whole.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// When the last byte had come.
    pub at: Instant,
}

impl Received {
    /// The header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON. Panics if it is not.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// What the serving side and the test share.
struct Shared {
    requests: Mutex<Vec<Received>>,
    script: Mutex<VecDeque<Answer>>,
    default: Mutex<Answer>,
    count: watch::Sender<usize>,
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Vec<Received>> {
        self.requests.lock().expect("no holder of this lock panics")
    }

    fn record(&self, request: Received) {
        let count = {
            let mut requests = self.requests();
            requests.push(request);
            requests.len()
        };
        // Not under the lock: whoever waits holds the channel's own lock while it looks at the requests.
        self.count.send_modify(|known| *known = (*known).max(count));
    }

    fn next_answer(&self) -> Answer {
        let scripted = self.script.lock().expect("no holder of this lock panics").pop_front();
        scripted.unwrap_or_else(|| self.default.lock().expect("no holder of this lock panics").clone())
    }
}

/// The receiver. Answers 204 until told otherwise. Dropping it closes its port and every connection.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    tls: Option<Arc<rustls::ServerConfig>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Receiver {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same with TLS, as `tls` says ([`crate::tls::server`]): what does not get through the handshake is not recorded.
    pub fn start_tls(tls: Arc<rustls::ServerConfig>) -> Self {
        Self::start_with(Some(tls))
    }

    fn start_with(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = crate::port::bind();
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            requests: Mutex::default(),
            script: Mutex::default(),
            default: Mutex::new(Answer::status(204)),
            count: watch::Sender::new(0),
        });
        let mut receiver = Self { address, shared, tls, running: None };
        receiver.run(listener);
        receiver
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port><path>`, or `https://`.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// What it answers from now on, when the script is over.
    pub fn answer(&self, answer: Answer) {
        *self.shared.default.lock().expect("no holder of this lock panics") = answer;
    }

    /// The next answers, one for each request.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script.lock().expect("no holder of this lock panics").extend(answers);
    }

    /// Closes the port and every connection, as if the machine were gone. What came is kept.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // It may have ended by itself; then there is nobody to tell.
            let _ = stop.send(());
            thread.join().expect("the receiver's thread does not panic");
        }
    }

    /// Listens again on the same port after [`Receiver::stop`].
    pub fn restart(&mut self) {
        self.stop();
        let bound = crate::wait::poll(Duration::from_secs(10), || TcpListener::bind(self.address).ok());
        self.run(bound.expect("nobody took the receiver's port"));
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.shared.requests().len()
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests().clone()
    }

    /// Forgets what came, and gives it.
    pub fn take(&self) -> Vec<Received> {
        let taken = std::mem::take(&mut *self.shared.requests());
        self.shared.count.send_replace(0);
        taken
    }

    /// Waits until at least `n` requests have come, and gives all. Panics after `limit`.
    pub async fn wait_for(&self, n: usize, limit: Duration) -> Vec<Received> {
        self.wait_until(&format!("{n} requests"), limit, |requests| requests.len() >= n).await
    }

    /// Waits until the requests so far satisfy `enough`, and gives them. Panics after `limit`, naming `what` was waited for.
    pub async fn wait_until(&self, what: &str, limit: Duration, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut count = self.shared.count.subscribe();
        let met = count.wait_for(|_| enough(&self.shared.requests()));
        match tokio::time::timeout(limit, met).await {
            Ok(_) => self.requests(),
            Err(_) => panic!("{what} did not come within {limit:?}; {} requests came", self.count()),
        }
    }

    fn run(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel();
        let (shared, tls) = (self.shared.clone(), self.tls.clone());
        let thread = std::thread::Builder::new().name("receiver".into()).spawn(move || serve::serve(listener, shared, tls, stopped));
        self.running = Some((stop, thread.expect("a thread can be started")));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receiver({})", self.address)
    }
}
