//! S3 and what speaks its protocol: events are collected for a moment and stored as one object of NDJSON, one body per line.
//!
//! A delivery's attempt waits until the object with its line is stored, so that delivered means stored. It holds one of the engine's places
//! meanwhile: that is why batches are short, and closed early when nothing more comes.

mod archive;
mod batch;
mod configuration;

use std::sync::Arc;
use std::time::Duration;

use dispatch::{AttemptInput, AttemptOutcome, AttemptReport, Channel, Prepared};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::Result;
use serde_json::Value;
use tokio::time::Instant;
use web::outbound::Client;

use crate::address::check_url;
use crate::configuration::placed;
use crate::fault::Fault;
use crate::message::Writer;
pub use archive::{Archive, Upload};
use batch::{Batches, Line};
use configuration::Target;

/// The channel.
pub(crate) struct S3Channel {
    client: Client,
    writer: Writer,
}

struct Ready {
    target: Arc<Target>,
    batches: Batches,
}

impl S3Channel {
    pub(crate) fn new(client: Client, writer: &Writer) -> Self {
        Self { client, writer: writer.clone() }
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let target = Target::read(config)?;
        check_url(&self.client, target.base.as_str(), if target.has_endpoint { "endpoint" } else { "bucket" }).await?;
        Ok(config.clone())
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(ready) = input.prepared.get::<Ready>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not an S3 destination", Duration::ZERO);
        };
        let started = Instant::now();
        let shown = shown(input);
        let line = Line { bytes: self.writer.line(input), delivery: input.delivery, attempt: input.number };
        let stored = ready.batches.put(&self.client, &ready.target, input, line);
        let stored = tokio::time::timeout(input.timeout, stored).await.unwrap_or_else(|_| Err(Fault::timeout(input.timeout)));
        match stored {
            Ok(report) => AttemptReport { request_headers: shown, duration: started.elapsed(), ..report },
            Err(fault) => fault.report(shown, started.elapsed()),
        }
    }
}

/// What the attempt log says of the event: an object has no headers per line.
fn shown(input: &AttemptInput<'_>) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let pairs = [("webhook-id", input.event.id.as_str()), ("webhook-type", input.event.event_type.as_str())];
    pairs.into_iter().filter_map(|(name, text)| Some((HeaderName::from_static(name), value(text)?))).collect()
}

impl Channel for S3Channel {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { self.check_config(config).await.map_err(placed) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        Ok(Prepared::new(Ready { target: Arc::new(Target::read(config).map_err(placed)?), batches: Batches::default() }))
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
