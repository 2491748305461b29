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
use crate::rehearsal::Rehearsal;

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
#[derive(Clone, Copy, Debug)]
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
    /// The span of this attempt as a W3C `traceparent`, where traces are on.
    pub trace: Option<&'a str>,
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
    /// It is not to be sent; the delivery is skipped with this reason (snake_case). The attempt is logged, and counts in no rate.
    Skipped(&'static str),
}

/// Why an attempt failed, when it was not the receiver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// For programs: `timeout`, `connect`, `dns`, `tls`, `protocol`, `refused`, `status`, `panic`; `auth` (no access token for the receiver, or not our certificate),
    /// `proxy` (the operator's egress proxy), `signing` (no key to sign with) and `transform` (the webhook's own function failed), which say
    /// nothing about the receiver.
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

/// Fields of a channel's own configuration (`destination`) that are credentials: readers see them masked. A channel with another one adds it
/// here.
pub const SECRET_FIELDS: &[&str] =
    &["password", "token", "nkeySeed", "credentials", "secretAccessKey", "sessionToken", "incomingWebhookUrl"];

/// Most bytes of an answer that are kept.
pub const MAX_BODY: usize = 16 * 1024;

impl AttemptReport {
    /// A failure before anything was sent.
    pub fn failure(outcome: AttemptOutcome, kind: &'static str, text: impl Into<String>, duration: Duration) -> Self {
        let error = Some(AttemptError { kind, text: text.into() });
        let (request_headers, response_headers) = (HeaderMap::new(), HeaderMap::new());
        Self { outcome, status_code: None, error, duration, request_headers, response_headers, response_body: Bytes::new() }
    }

    /// Whether it was the receiver that failed, or could not be reached: what failed on our side says nothing about it.
    pub fn is_about_receiver(&self) -> bool {
        let ours = |error: &AttemptError| matches!(error.kind, "auth" | "proxy" | "signing" | "transform");
        !matches!(self.outcome, AttemptOutcome::Skipped(_)) && !self.error.as_ref().is_some_and(ours)
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

    /// Which host and port a configuration leads to (`example.com:443`), where there is one: several destinations may share it.
    fn host(&self, prepared: &Prepared) -> Option<String> {
        let _ = prepared;
        None
    }

    /// What an attempt for `event` would send: for a preview. Nothing is sent. Errors: 422 as for `check`; `not_supported` where a channel has
    /// no preview.
    fn rehearse<'a>(&'a self, config: &'a Value, event: &'a Arc<Event>) -> BoxFuture<'a, Result<Rehearsal>> {
        let _ = (config, event);
        Box::pin(async { Err(kernel::Error::invalid("not_supported", "This channel has no preview.")) })
    }

    /// Makes one attempt. Never fails: whatever happens is in the report.
    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport>;
}
