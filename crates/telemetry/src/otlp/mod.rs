//! Traces and logs by OTLP.

mod export;
mod request;
mod work;

use std::time::Duration;

use kernel::{Error, Result, Secret};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use web::outbound::Client;

pub use request::{RequestSpan, Traces};
pub use work::WorkSpan;

/// What copies our own log into OTLP: a layer for `tracing-subscriber`.
pub type LogBridge = OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>;

/// How long an export may take.
const EXPORT_TIME: Duration = Duration::from_secs(10);

/// Where traces and logs go.
pub struct OtlpConfig {
    /// The collector's base address: `http://127.0.0.1:4318`. `/v1/traces` and `/v1/logs` are added.
    pub endpoint: String,
    /// Header fields of every export: a vendor's credential.
    pub headers: Vec<(String, Secret<String>)>,
    /// The share of traces that are kept, 0 to 1, where the caller has not decided.
    pub sample: f64,
    /// This program's version.
    pub version: String,
    /// What tells this process from others.
    pub instance: String,
}

/// Running exporters.
pub struct Otlp {
    spans: SdkTracerProvider,
    logs: SdkLoggerProvider,
}

impl Otlp {
    /// Starts the exporters, which send by `client`: one that may connect to the operator's collector. Must be called on a tokio runtime.
    ///
    /// Error: 422 `invalid_otlp_endpoint`.
    pub fn start(config: &OtlpConfig, client: Client) -> Result<Self> {
        let base = config.endpoint.trim_end_matches('/');
        let parsed: Option<http::Uri> = base.parse().ok();
        if !parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()) {
            let text = "TRADEWIND_OTLP_ENDPOINT must be the collector's http:// or https:// address.";
            return Err(Error::invalid("invalid_otlp_endpoint", text));
        }
        let fault = |error: opentelemetry_otlp::ExporterBuildError| {
            Error::invalid("invalid_otlp_endpoint", format!("TRADEWIND_OTLP_ENDPOINT cannot be used: {error}.")).caused_by(error)
        };
        let exporter = export::Exporter::new(client, &config.headers)?;
        let resource = resource(config);
        let spans = SpanExporter::builder().with_http().with_http_client(exporter.clone()).with_timeout(EXPORT_TIME);
        let spans = spans.with_endpoint(format!("{base}/v1/traces")).build().map_err(fault)?;
        let logs = LogExporter::builder().with_http().with_http_client(exporter).with_timeout(EXPORT_TIME);
        let logs = logs.with_endpoint(format!("{base}/v1/logs")).build().map_err(fault)?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample)));
        Ok(Self {
            spans: SdkTracerProvider::builder().with_batch_exporter(spans).with_sampler(sampler).with_resource(resource.clone()).build(),
            logs: SdkLoggerProvider::builder().with_batch_exporter(logs).with_resource(resource).build(),
        })
    }

    /// Begins spans.
    pub fn traces(&self) -> Traces {
        Traces::new(self.spans.tracer("tradewind"))
    }

    /// Copies what is logged from now on.
    pub fn log_bridge(&self) -> LogBridge {
        OpenTelemetryTracingBridge::new(&self.logs)
    }

    /// Sends what waits and ends; takes at most about ten seconds.
    pub async fn stop(self) {
        let stop = move || {
            // Whoever cannot be reached now has missed the last spans; the server stops all the same.
            let _ = self.spans.shutdown_with_timeout(EXPORT_TIME);
            let _ = self.logs.shutdown_with_timeout(EXPORT_TIME);
        };
        let _ = tokio::task::spawn_blocking(stop).await;
    }
}

fn resource(config: &OtlpConfig) -> Resource {
    Resource::builder_empty()
        .with_service_name("tradewind")
        .with_attributes([
            KeyValue::new("service.version", config.version.clone()),
            KeyValue::new("service.instance.id", config.instance.clone()),
        ])
        .build()
}
