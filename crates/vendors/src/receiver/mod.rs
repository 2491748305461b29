//! A webhook receiver that verifies signatures, as a partner's should: Standard Webhooks (`webhook-signature`) and, where it is told
//! the header's name, the older form `t=<unix seconds>,v1=<hex>`. It keeps the last deliveries and tells a callback of each.
//!
//! It answers 204 to a genuine delivery, 401 to a forged one, and 503 while it knows no secret, so that a delivery which is faster
//! than the answer with the secret in it is sent again.

mod serve;
mod verify;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, RwLock};

use kernel::{Ambient, Secret, Timestamp};
use tokio::task::JoinHandle;
use web::signature::WebhookSecret;

pub use verify::Verdict;

/// Called with every delivery, before it is answered. It must not block.
pub type OnDelivery = Arc<dyn Fn(&Delivery) + Send + Sync>;

/// Settings.
#[derive(Clone)]
pub struct Options {
    /// The header that carries the older signature form, for example `X-Webhook-Signature`. Where it is named, a delivery must carry
    /// it and it must be good as well.
    pub legacy_header: Option<String>,
    /// How many deliveries are kept.
    pub keep: usize,
    /// The clock, against which the age of a signature is judged.
    pub ambient: Ambient,
    /// Told of every delivery.
    pub on_delivery: OnDelivery,
}

impl Options {
    /// Standard Webhooks only, the machine's clock, the last 100 deliveries, nobody told.
    pub fn new() -> Self {
        Self { legacy_header: None, keep: 100, ambient: Ambient::system(), on_delivery: Arc::new(|_| ()) }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("legacy_header", &self.legacy_header).field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// One delivery as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event's id: the header `webhook-id`, the same on every attempt. Empty if there is none.
    pub id: String,
    /// The event's type: `type` or `eventType` of the body. Empty if it has neither.
    pub event_type: String,
    /// The path that was posted to.
    pub path: String,
    /// The body exactly as signed.
    pub body: String,
    /// What the signatures say.
    pub verdict: Verdict,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What the connections share.
pub(crate) struct State {
    secrets: RwLock<Vec<WebhookSecret>>,
    kept: Mutex<VecDeque<Delivery>>,
    options: Options,
}

impl State {
    /// Keeps a delivery, dropping the oldest, and tells the callback.
    fn take(&self, delivery: Delivery) {
        (self.options.on_delivery)(&delivery);
        let mut kept = self.kept.lock().expect("no holder of this lock panics");
        kept.push_back(delivery);
        while kept.len() > self.options.keep {
            kept.pop_front();
        }
    }
}

/// A running receiver; it stops when dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Listens. Must be called inside a Tokio runtime.
    ///
    /// Errors: the port is taken; `InvalidInput` if the address is not loopback.
    pub async fn start(listen: SocketAddr, options: Options) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{listen} is not a loopback address")));
        }
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { secrets: RwLock::new(Vec::new()), kept: Mutex::new(VecDeque::new()), options });
        let task = tokio::spawn(serve::accept(listener, state.clone()));
        Ok(Self { address, state, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL for a webhook. The path is not looked at.
    pub fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    /// From now on only this secret (`whsec_…`) is good. Error: 422 `invalid_webhook_secret`; then nothing has changed.
    pub fn set_secret(&self, secret: &Secret<String>) -> kernel::Result<()> {
        let secret = WebhookSecret::parse(secret.reveal())?;
        *self.state.secrets.write().expect("no holder of this lock panics") = vec![secret];
        Ok(())
    }

    /// From now on this secret is good as well: for a second webhook at the same receiver, or while one rotates.
    /// Error: 422 `invalid_webhook_secret`.
    pub fn add_secret(&self, secret: &Secret<String>) -> kernel::Result<()> {
        let secret = WebhookSecret::parse(secret.reveal())?;
        self.state.secrets.write().expect("no holder of this lock panics").push(secret);
        Ok(())
    }

    /// The last deliveries, the oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state.kept.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}
