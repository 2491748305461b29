//! What carries a delivery: HTTP here, other channels elsewhere.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::{DeliveryId, Event, Result, Timestamp};
use serde_json::Value;

use crate::destinations::Destination;

/// A destination's configuration as its channel wants it: parsed once per change, not once per attempt.
#[derive(Clone)]
pub struct Prepared(Arc<dyn Any + Send + Sync>);

impl Prepared {
    /// Wraps a channel's own type.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The channel's own type back.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

/// One attempt to be made.
#[derive(Debug)]
pub struct AttemptInput<'a> {
    /// Where to.
    pub destination: &'a Destination,
    /// Its configuration, as [`Channel::prepare`] made it.
    pub prepared: &'a Prepared,
    /// What.
    pub event: &'a Arc<Event>,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its place in the destination's sequence, from 1; 0 for a test delivery.
    pub seq: i64,
    /// The attempt's number, from 1.
    pub number: u32,
    /// Now.
    pub now: Timestamp,
    /// How long it may take.
    pub timeout: Duration,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver has it.
    Delivered,
    /// It failed and may be tried again; after this time, if the receiver said one.
    Retry {
        /// What the receiver asked for.
        after: Option<Duration>,
    },
    /// The receiver wants nothing any more: the destination is disabled.
    Gone,
    /// It can never succeed; the delivery fails with this reason (snake_case).
    Refused(&'static str),
}

/// Why an attempt failed, when it was not the receiver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// For programs: `timeout`, `connect`, `dns`, `tls`, `protocol`, `refused`, `status`, `panic`.
    pub kind: &'static str,
    /// For people.
    pub text: String,
}

/// What an attempt did, for the log.
#[derive(Clone, Debug)]
pub struct AttemptReport {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The receiver's status, if it answered.
    pub status_code: Option<u16>,
    /// What went wrong.
    pub error: Option<AttemptError>,
    /// How long it took.
    pub duration: Duration,
    /// What was sent, secrets masked.
    pub request_headers: HeaderMap,
    /// What came.
    pub response_headers: HeaderMap,
    /// What came, at most [`MAX_BODY`] bytes.
    pub response_body: Bytes,
}

/// Most bytes of an answer that are kept.
pub const MAX_BODY: usize = 16 * 1024;

impl AttemptReport {
    /// A failure before anything was sent.
    pub fn failure(outcome: AttemptOutcome, kind: &'static str, text: impl Into<String>, duration: Duration) -> Self {
        let error = Some(AttemptError { kind, text: text.into() });
        let (request_headers, response_headers) = (HeaderMap::new(), HeaderMap::new());
        Self { outcome, status_code: None, error, duration, request_headers, response_headers, response_body: Bytes::new() }
    }

    /// Whether the receiver has it.
    pub fn is_delivered(&self) -> bool {
        self.outcome == AttemptOutcome::Delivered
    }
}

/// A way to deliver.
pub trait Channel: Send + Sync + 'static {
    /// Its name in `destinations.channel`.
    fn name(&self) -> &'static str;

    /// Validates a configuration when a destination is made or changed; answers it normalised, to be given to [`crate::destinations::create`].
    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>>;

    /// Parses a stored configuration. Quick: it runs on a runtime's thread.
    fn prepare(&self, config: &Value) -> Result<Prepared>;

    /// Makes one attempt. Never fails: whatever happens is in the report.
    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport>;
}
