//! Collecting: the first delivery opens a batch, others join it, one task stores it and answers all of them.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dispatch::{AttemptInput, AttemptReport};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use kernel::{DeliveryId, DestinationId, Timestamp};
use serde_json::json;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use web::outbound::Client;

use super::configuration::Target;
use crate::aws::{Request, kind_of};
use crate::fault::{Fault, answered, cut};

/// Most bytes in an object, before compression.
const MAX_BYTES: usize = 8 * 1024 * 1024;

type Answer = oneshot::Sender<Result<AttemptReport, Fault>>;

/// One delivery's part of an object.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) delivery: DeliveryId,
    pub(super) attempt: u32,
}

/// The batch that a destination is collecting, if it is.
#[derive(Default)]
pub(super) struct Batches {
    open: Arc<Mutex<Option<Batch>>>,
}

struct Batch {
    bytes: Vec<u8>,
    waiting: Vec<Answer>,
    /// When the last one joined.
    joined: Instant,
    full: Arc<Notify>,
    about: About,
}

/// What an object is named and stored by.
#[derive(Clone)]
struct About {
    webhook: DestinationId,
    tenant: String,
    now: Timestamp,
    /// When the first one, which waits longest, gives up.
    end: Instant,
    /// The first delivery and its attempt: no other object begins with these.
    unique: String,
}

impl Batches {
    /// Joins the open batch, or opens one; answers when its object is stored or is not.
    pub(super) async fn put(
        &self,
        client: &Client,
        target: &Arc<Target>,
        input: &AttemptInput<'_>,
        line: Line,
    ) -> Result<AttemptReport, Fault> {
        let (answer, answered) = oneshot::channel();
        let opened = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            // A full one that its task has not yet taken takes no more.
            let fits = |batch: &Batch| batch.waiting.len() < target.max_events && batch.bytes.len() + line.bytes.len() <= MAX_BYTES;
            let closed = if open.as_ref().is_some_and(|batch| !fits(batch)) { open.take() } else { None };
            let is_new = open.is_none();
            let batch = open.get_or_insert_with(|| Batch::new(input, &line));
            batch.join(&line, answer);
            if batch.waiting.len() >= target.max_events || batch.bytes.len() >= MAX_BYTES {
                batch.full.notify_one();
            }
            (is_new.then(|| Arc::clone(&batch.full)), closed)
        };
        let (full, closed) = opened;
        if let Some(batch) = closed {
            tokio::spawn(store(client.clone(), Arc::clone(target), batch));
        }
        if let Some(full) = full {
            tokio::spawn(collect(Arc::clone(&self.open), full, client.clone(), Arc::clone(target)));
        }
        answered.await.unwrap_or_else(|_| Err(Fault::rejected("timeout", "the object was not stored")))
    }
}

impl Batch {
    fn new(input: &AttemptInput<'_>, first: &Line) -> Self {
        let about = About {
            webhook: input.destination.id,
            tenant: input.destination.tenant.to_string(),
            now: input.now,
            end: Instant::now() + input.timeout,
            unique: format!("{}-{}", first.delivery, first.attempt),
        };
        Self { bytes: Vec::new(), waiting: Vec::new(), joined: Instant::now(), full: Arc::new(Notify::new()), about }
    }

    fn join(&mut self, line: &Line, answer: Answer) {
        self.bytes.extend_from_slice(&line.bytes);
        self.waiting.push(answer);
        self.joined = Instant::now();
    }
}

/// Waits until the batch is full, its time is up, or nobody joins any more; then stores it.
async fn collect(open: Arc<Mutex<Option<Batch>>>, full: Arc<Notify>, client: Client, target: Arc<Target>) {
    let end = Instant::now() + target.max_wait;
    // So long without company, and none is expected.
    let quiet = (target.max_wait / 4).max(Duration::from_millis(1));
    let batch = loop {
        let wake = {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            // Another batch in its place: this one was stored by whoever found it full.
            let Some(batch) = open.as_mut().filter(|batch| Arc::ptr_eq(&batch.full, &full)) else { return };
            let wake = (batch.joined + quiet).min(end);
            if Instant::now() >= wake || batch.waiting.len() >= target.max_events || batch.bytes.len() >= MAX_BYTES {
                break open.take();
            }
            wake
        };
        tokio::select! {
            () = full.notified() => {}
            () = tokio::time::sleep_until(wake) => {}
        }
    };
    if let Some(batch) = batch {
        store(client, target, batch).await;
    }
}

async fn store(client: Client, target: Arc<Target>, batch: Batch) {
    let Batch { bytes, waiting, about, .. } = batch;
    let key = target.key(about.webhook, &about.tenant, about.now, &about.unique);
    let count = waiting.len();
    let outcome = upload(&client, &target, &about, &key, bytes).await;
    for (line, answer) in waiting.into_iter().enumerate() {
        let one = outcome.clone().map(|report| said(report, &key, line, count));
        // Whoever gave up meanwhile tries again: its line may then be in two objects, under one id.
        let _ = answer.send(one);
    }
}

async fn upload(client: &Client, target: &Target, about: &About, key: &str, bytes: Vec<u8>) -> Result<AttemptReport, Fault> {
    let uri = target.uri(key).map_err(|_| Fault::rejected("rejected", "the object's key cannot be sent"))?;
    let content = HeaderValue::from_static(if target.gzip { "application/gzip" } else { "application/x-ndjson" });
    let gzip = target.gzip;
    let packing = tokio::task::spawn_blocking(move || if gzip { pack(&bytes) } else { Ok(bytes) });
    let odd = || Fault::rejected("protocol", "the object could not be compressed");
    let body = Bytes::from(packing.await.map_err(|_| odd())?.map_err(|_| odd())?);
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content)]);
    let timeout = about.end.saturating_duration_since(Instant::now());
    let request = Request { method: Method::PUT, uri: &uri, headers, body, now: about.now, timeout };
    let answer = target.identity.send(client, request).await?;
    Ok(answered(answer, HeaderMap::new(), refusal))
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// A stored line says where it is; a refusal says what the store said.
fn said(report: AttemptReport, key: &str, line: usize, count: usize) -> AttemptReport {
    if !report.is_delivered() {
        return report;
    }
    let response_body = Bytes::from(json!({"key": key, "line": line + 1, "lines": count}).to_string());
    AttemptReport { response_body, ..report }
}

fn refusal(status: u16, body: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| Some(text.split_once(&format!("<{name}>"))?.1.split_once("</")?.0.to_owned());
    let (code, message) = (element("Code").unwrap_or_default(), element("Message").unwrap_or_default());
    Fault::rejected(kind_of(status), cut(format!("S3 answered {status} {code}: {message}")))
}
