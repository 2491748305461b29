//! Carries calls to a double without a connection, by the test's clock. It can lose the node in the middle of a call.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use connectors::{Body, BudgetNews, Call, Carrier, Fault, Renewal, Reply, Target};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method};
use kernel::time::ManualClock;
use tokio::sync::Notify;
use vendors::stand::{self, Ending, Vendor};

const BASE: &str = "http://double.invalid";

/// When the node is lost in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The vendor never hears of it.
    Before,
    /// The vendor has done it.
    After,
}

pub(crate) struct StandCarrier {
    vendor: Arc<dyn Vendor>,
    clock: Arc<ManualClock>,
    scheme: &'static str,
    credential: Mutex<String>,
    generation: AtomicU64,
    pub(crate) calls: AtomicU64,
    /// Calls that change something.
    pub(crate) writes: AtomicU64,
    loss: Mutex<Option<Loss>>,
    /// Of the write that comes after so many others.
    write_loss: Mutex<Option<(u64, Loss)>>,
    /// The node is lost now.
    pub(crate) lost: Notify,
}

impl StandCarrier {
    pub(crate) fn to(vendor: Arc<dyn Vendor>, clock: &Arc<ManualClock>, scheme: &'static str) -> Arc<Self> {
        let credential = Mutex::new(format!("{scheme} {}", vendor.issue().access_token));
        Arc::new(Self {
            vendor,
            clock: Arc::clone(clock),
            scheme,
            credential,
            generation: AtomicU64::new(1),
            calls: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            loss: Mutex::default(),
            write_loss: Mutex::default(),
            lost: Notify::new(),
        })
    }

    /// The next call loses the node.
    pub(crate) fn lose(&self, loss: Option<Loss>) {
        *self.loss.lock().unwrap() = loss;
    }

    /// The call that writes after so many others loses the node.
    pub(crate) fn lose_write(&self, others: u64, loss: Loss) {
        *self.write_loss.lock().unwrap() = Some((others, loss));
    }

    fn lost_write(&self) -> Option<Loss> {
        let mut place = self.write_loss.lock().unwrap();
        match place.as_mut() {
            Some((0, loss)) => {
                let loss = *loss;
                *place = None;
                Some(loss)
            }
            Some((others, _)) => {
                *others -= 1;
                None
            }
            None => None,
        }
    }

    fn wire(&self, call: &Call) -> Result<(String, HeaderMap, Bytes), Fault> {
        let whole = match &call.target {
            Target::Path(path) => format!("{BASE}{path}"),
            Target::Url(url) => url.clone(),
        };
        let mut url = url::Url::parse(&whole).unwrap();
        if !whole.starts_with(BASE) {
            return Err(Fault::Refused { code: "address_refused".to_owned(), message: whole, field: None });
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers = call.headers.clone();
        headers.insert(HOST, HeaderValue::from_static("double.invalid"));
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&self.credential.lock().unwrap()).unwrap());
        let (media, body) = match &call.body {
            Body::Empty => return Ok((url.to_string(), headers, Bytes::new())),
            Body::Json(json) => ("application/json".to_owned(), Bytes::from(json.to_string())),
            Body::Form(pairs) => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                ("application/x-www-form-urlencoded".to_owned(), Bytes::from(form))
            }
            Body::Bytes(media, bytes) => (media.clone(), bytes.clone()),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(&media).unwrap());
        Ok((url.to_string(), headers, body))
    }

    fn ask(&self, call: &Call) -> Result<Reply, Fault> {
        let generation = self.generation.load(Ordering::SeqCst);
        let (url, headers, body) = self.wire(call)?;
        let mut asked = stand::Call::new(call.method.clone(), url.strip_prefix(BASE).unwrap());
        (asked.headers, asked.body) = (headers, body);
        let answer = stand::handle(&*self.vendor, asked);
        match answer.ending {
            Ending::Whole => Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, generation }),
            Ending::Half | Ending::Never => Err(Fault::Lost { message: "the connection ended".to_owned() }),
        }
    }
}

/// Whether a call changes something: reading by POST is what searches and batches of ids do.
fn writes(call: &Call) -> bool {
    let (Target::Path(target) | Target::Url(target)) = &call.target;
    let reads = ["/search", "/batch/read", "/query", "/coql", "/token"].iter().any(|part| target.contains(part));
    // Salesforce is asked for many records by their ids so.
    let asks = matches!(&call.body, Body::Json(body) if body.get("ids").is_some() && body.get("fields").is_some());
    call.method != Method::GET && !reads && !asks
}

impl Carrier for StandCarrier {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if writes(&call) {
                self.writes.fetch_add(1, Ordering::SeqCst);
            }
            let mut loss = self.loss.lock().unwrap().take();
            if loss.is_none() && writes(&call) {
                loss = self.lost_write();
            }
            let answer = if loss == Some(Loss::Before) { None } else { Some(self.ask(&call)) };
            match (loss, answer) {
                (None, Some(answer)) => answer,
                _ => {
                    self.lost.notify_one();
                    std::future::pending().await
                }
            }
        })
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        if generation == self.generation.load(Ordering::SeqCst) {
            *self.credential.lock().unwrap() = format!("{} {}", self.scheme, self.vendor.issue().access_token);
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(async { Ok(Renewal::Renewed) })
    }

    fn told(&self, _: BudgetNews) {}

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.clock.advance(time);
        Box::pin(async {})
    }
}
