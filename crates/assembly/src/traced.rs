//! A span for each attempt to deliver. Only there when traces are on.

use std::sync::Arc;

use dispatch::{AttemptInput, AttemptReport, Channel, Prepared, Rehearsal};
use futures_util::future::BoxFuture;
use kernel::{Event, Result};
use serde_json::Value;
use telemetry::Traces;

/// A channel whose attempts are traced.
pub(crate) struct Traced {
    inner: Arc<dyn Channel>,
    traces: Traces,
}

impl Traced {
    /// `inner`, with a span for each of its attempts.
    pub(crate) fn over(inner: Arc<dyn Channel>, traces: Traces) -> Arc<dyn Channel> {
        Arc::new(Self { inner, traces })
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let attributes = vec![
            ("tradewind.tenant.id", input.destination.tenant.to_string()),
            ("tradewind.webhook.id", input.destination.id.to_string()),
            ("tradewind.delivery.id", input.delivery.to_string()),
            ("tradewind.event.id", input.event.id.to_string()),
            ("tradewind.event.type", input.event.event_type.to_string()),
            ("tradewind.attempt.number", input.number.to_string()),
            ("tradewind.channel", self.inner.name().to_owned()),
        ];
        let span = self.traces.work(format!("deliver {}", input.event.event_type), attributes);
        let trace = span.traceparent();
        let input = AttemptInput { trace: Some(&trace), ..*input };
        let report = span.run(self.inner.attempt(&input)).await;
        span.end(report.status_code, report.error.as_ref().map(|error| error.kind));
        report
    }
}

impl Channel for Traced {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        self.inner.check(config)
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        self.inner.prepare(config)
    }

    fn host(&self, prepared: &Prepared) -> Option<String> {
        self.inner.host(prepared)
    }

    fn rehearse<'a>(&'a self, config: &'a Value, event: &'a Arc<Event>) -> BoxFuture<'a, Result<Rehearsal>> {
        self.inner.rehearse(config, event)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
