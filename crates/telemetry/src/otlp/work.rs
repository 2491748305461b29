//! Spans of work that no request waits for: attempts of deliveries.

use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::Traces;

/// Work under way, in a trace of its own.
#[derive(Debug)]
pub struct WorkSpan(Context);

impl Traces {
    /// Begins a span of something that leaves: `deliver lead.created`. Attributes are ids and names, never payloads.
    pub fn work(&self, name: String, attributes: Vec<(&'static str, String)>) -> WorkSpan {
        let attributes = attributes.into_iter().map(|(name, value)| KeyValue::new(name, value));
        let builder = self.tracer().span_builder(name).with_kind(SpanKind::Client).with_attributes(attributes);
        let nothing = Context::new();
        WorkSpan(nothing.with_span(self.tracer().build_with_context(builder, &nothing)))
    }
}

impl WorkSpan {
    /// The span as a W3C `traceparent`, for whoever the work is sent to.
    pub fn traceparent(&self) -> String {
        let span = self.0.span();
        let told = span.span_context();
        format!("00-{}-{}-{:02x}", told.trace_id(), told.span_id(), told.trace_flags().to_u8())
    }

    /// Does the work: what is logged meanwhile belongs to its trace.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        work.with_context(self.0.clone()).await
    }

    /// Ends it: the answer's status, if there was one, and what went wrong, if anything.
    pub fn end(self, status: Option<u16>, fault: Option<&'static str>) {
        let span = self.0.span();
        if let Some(status) = status {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        }
        if let Some(fault) = fault {
            span.set_attribute(KeyValue::new("error.type", fault));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
