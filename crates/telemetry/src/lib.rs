//! What operators see from outside: metrics, traces, logs.
//!
//! * [`Metrics`]: everything for Prometheus, rendered on demand; [`CATALOGUE`] lists every metric there is.
//! * [`Otlp`]: traces and logs by OTLP over HTTP, in protobuf, to the operator's collector. Not started: no cost.
//! * [`Traces`]: a span per request, under the caller's trace (W3C `traceparent`).
//!
//! No tables, no events. The only crate that knows OpenTelemetry and the metrics exporter. Invariants: no request waits for an export, and what
//! cannot be exported is dropped, not kept; no span, metric or label holds a secret or a payload; labels are bounded.

mod otlp;
mod prometheus;

pub use otlp::{LogBridge, Otlp, OtlpConfig, RequestSpan, Traces, WorkSpan};
pub use prometheus::{CATALOGUE, Form, Histogram, Metric, Metrics, help, process};
