//! A span per request, named and attributed as OpenTelemetry's conventions for HTTP servers say.

use std::net::IpAddr;

use http::{HeaderMap, Request, StatusCode, header};
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use web::RequestNote;

/// Begins spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Traces {
    tracer: SdkTracer,
}

impl Traces {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer }
    }

    pub(super) fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    /// Begins the span of a request under the caller's trace, if it names one. The request's own `traceparent` becomes ours, so that whatever it
    /// is passed on to continues here.
    pub fn begin<B>(&self, request: &mut Request<B>, peer: IpAddr) -> RequestSpan {
        let propagator = TraceContextPropagator::new();
        let parent = parent(&propagator, request.headers());
        let method = request.method().to_string();
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let builder = self.tracer.span_builder(method.clone()).with_kind(SpanKind::Server).with_attributes([
            KeyValue::new("http.request.method", method.clone()),
            KeyValue::new("url.path", request.uri().path().to_owned()),
            KeyValue::new("network.peer.address", peer.to_canonical().to_string()),
            KeyValue::new("user_agent.original", agent),
        ]);
        let context = parent.with_span(self.tracer.build_with_context(builder, &parent));
        propagator.inject_context(&context, &mut HeaderInjector(request.headers_mut()));
        RequestSpan { context, method }
    }
}

/// The caller's context alone: what happens to be current on this thread is none of the caller's business.
fn parent(propagator: &TraceContextPropagator, headers: &HeaderMap) -> Context {
    propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers))
}

/// A request under way.
#[derive(Debug)]
pub struct RequestSpan {
    context: Context,
    method: String,
}

impl RequestSpan {
    /// Serves the request: what is logged meanwhile belongs to its trace.
    pub async fn run<F: Future>(&self, serving: F) -> F::Output {
        serving.with_context(self.context.clone()).await
    }

    /// Ends it with the answer's head; answers the trace's id.
    pub fn end(self, status: StatusCode, note: Option<&RequestNote>) -> String {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if let Some(note) = note {
            span.update_name(format!("{} {}", self.method, note.endpoint));
            span.set_attributes(attributes(note));
        }
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        span.end();
        span.span_context().trace_id().to_string()
    }
}

fn attributes(note: &RequestNote) -> Vec<KeyValue> {
    let mut list = vec![KeyValue::new("http.route", note.endpoint.to_string()), KeyValue::new("tradewind.request.id", note.id.to_string())];
    let mut add = |name: &'static str, value: Option<String>| list.extend(value.map(|value| KeyValue::new(name, value)));
    add("tradewind.tenant.id", note.tenant.map(|id| id.to_string()));
    add("tradewind.client.id", note.client.map(|id| id.to_string()));
    add("tradewind.key.id", note.key.map(|id| id.to_string()));
    add("client.address", note.ip.map(|ip| ip.to_string()));
    add("error.type", note.error.map(str::to_owned));
    list
}
