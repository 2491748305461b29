//! What operators see: `/metrics` on the administration listener, and the exporters of traces and logs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gate::{BOUNDS_US, Timings};
use http::header;
use kernel::Scope;
use telemetry::{Histogram, Metrics, Otlp, OtlpConfig};
use tokio::sync::Mutex;
use tokio::time::Instant;
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::settings::Resolved;
use crate::system::System;

/// The database is asked at most this often, however often somebody scrapes.
const GATHER_EVERY: Duration = Duration::from_secs(5);
/// How long a scrape waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// What Prometheus' text format is called.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Gathers what is not counted as it happens, when somebody scrapes.
pub struct Outlook {
    metrics: Arc<Metrics>,
    system: Arc<System>,
    gathered: Mutex<Option<Instant>>,
}

impl Outlook {
    /// Reads `system`, and adds what the gate counts to `metrics`.
    pub fn new(metrics: &Arc<Metrics>, system: &Arc<System>) -> Arc<Self> {
        // The same cells, whatever front is served.
        let timings = Arc::clone(system.front().features.gate.timings());
        metrics.add(move |out| write_gate(out, &timings));
        Arc::new(Self { metrics: Arc::clone(metrics), system: Arc::clone(system), gathered: Mutex::default() })
    }

    /// `GET /metrics`, for the administration listener.
    pub fn router(self: &Arc<Self>) -> Router {
        let outlook = Arc::clone(self);
        let answer = move || {
            let outlook = Arc::clone(&outlook);
            async move {
                outlook.gather().await;
                ([(header::CONTENT_TYPE, CONTENT_TYPE)], outlook.metrics.render())
            }
        };
        Router::new().route("/metrics", get(answer))
    }

    async fn gather(&self) {
        let mut gathered = self.gathered.lock().await;
        if gathered.is_some_and(|at| at.elapsed() < GATHER_EVERY) {
            return;
        }
        *gathered = Some(Instant::now());
        let base = &self.system.base;
        let front = self.system.front();
        let set = |on: bool| if on { 1.0 } else { 0.0 };
        metrics::gauge!("tradewind_maintenance").set(set(base.switches.is_in_maintenance()));
        let (version, blueprint) = (env!("CARGO_PKG_VERSION"), front.blueprint.name.clone());
        metrics::gauge!("tradewind_build_info", "version" => version, "blueprint" => blueprint).set(1.0);
        if let Some(free) = base.health.disk_free() {
            metrics::gauge!("tradewind_disk_free_bytes").set(float(free));
        }
        let reading = base.store.read(Scope::system("metrics"), dispatch::backlog::read);
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Ok(backlog)) => {
                metrics::gauge!("tradewind_queue_pending").set(float(backlog.pending));
                let age = backlog.oldest_at.map_or(Duration::ZERO, |at| base.ambient.now().since(at));
                metrics::gauge!("tradewind_queue_oldest_seconds").set(age.as_secs_f64());
            }
            Ok(Err(error)) => tracing::warn!(?error, "the queue's depth could not be read"),
            Err(_) => tracing::warn!("the queue's depth could not be read in time"),
        }
    }
}

fn write_gate(out: &mut String, timings: &Timings) {
    let all: Vec<Histogram> = timings
        .phases()
        .into_iter()
        .map(|times| {
            let mut count = 0;
            let mut upto = |n: u64| {
                count += n;
                count
            };
            let buckets = BOUNDS_US.iter().zip(times.counts).map(|(bound, n)| (float(*bound) / 1e6, upto(n))).collect();
            Histogram { labels: format!("phase=\"{}\"", times.phase.name()), buckets, count: times.counts.iter().sum(), sum: times.seconds }
        })
        .collect();
    Histogram::write_all(out, "tradewind_gate_seconds", telemetry::help("tradewind_gate_seconds"), &all);
    let statuses = timings.statuses().map(|(class, n)| (format!("status=\"{class}\""), n));
    write_counter(out, "tradewind_requests_total", &statuses);
    let (hits, misses) = timings.credentials();
    write_counter(
        out,
        "tradewind_credential_cache_total",
        &[("outcome=\"hit\"".to_owned(), hits), ("outcome=\"miss\"".to_owned(), misses)],
    );
}

fn write_counter(out: &mut String, name: &str, values: &[(String, u64)]) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} counter", telemetry::help(name));
    for (labels, n) in values {
        let _ = writeln!(out, "{name}{{{labels}}} {n}");
    }
    out.push('\n');
}

#[allow(clippy::cast_precision_loss, reason = "a metric need not be exact beyond 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

/// Starts the exporters that the settings ask for. Logs go there once the log has its bridge ([`Otlp::log_bridge`]).
pub fn start_otlp(settings: &Resolved) -> anyhow::Result<Option<Otlp>> {
    let Some(otlp) = &settings.otlp else { return Ok(None) };
    // The collector is the operator's own: it may be anywhere.
    let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|network| network.parse().ok()).collect();
    let client = Client::new(ClientConfig::new(UrlPolicy { allow_http: true, allow_networks: everywhere }))?;
    let instance = kernel::Ambient::system().id::<kernel::NodeId>().to_string();
    let config = OtlpConfig {
        endpoint: otlp.endpoint.clone(),
        headers: otlp.headers.clone(),
        sample: otlp.sample,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance,
    };
    Ok(Some(Otlp::start(&config, client)?))
}
