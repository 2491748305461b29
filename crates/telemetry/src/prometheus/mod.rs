//! Metrics for Prometheus.

mod catalogue;
mod histogram;
pub mod process;

use std::sync::Mutex;

use kernel::{Error, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub use catalogue::{CATALOGUE, Form, Metric, help};
pub use histogram::Histogram;

/// Seconds of what takes from a commit to a slow receiver.
const SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds of what a disk does.
const DISK_SECONDS: &[f64] = &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5];
/// Members of a group.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Writes metrics that are kept elsewhere, in Prometheus' text format.
type Writer = Box<dyn Fn(&mut String) + Send + Sync>;

/// Every metric of this process.
pub struct Metrics {
    recorder: PrometheusHandle,
    others: Mutex<Vec<Writer>>,
}

impl Metrics {
    /// Collects from now on whatever is counted in this process. Once per process. Error: internal, the second time.
    pub fn install() -> Result<Self> {
        let full = |name: &str| Matcher::Full(name.to_owned());
        let builder = PrometheusBuilder::new()
            .set_buckets(SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(full("tradewind_store_group_size"), SIZES))
            .and_then(|builder| builder.set_buckets_for_metric(full("tradewind_store_commit_seconds"), DISK_SECONDS))
            .map_err(Error::internal)?;
        let recorder = builder.install_recorder().map_err(Error::internal)?;
        catalogue::describe();
        Ok(Self { recorder, others: Mutex::default() })
    }

    /// Adds a writer for what is not counted through the `metrics` crate: hot paths keep their own numbers.
    pub fn add(&self, writer: impl Fn(&mut String) + Send + Sync + 'static) {
        self.others.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Box::new(writer));
    }

    /// All of it as text, in Prometheus' exposition format 0.0.4.
    pub fn render(&self) -> String {
        let mut text = self.recorder.render();
        process::write(&mut text);
        for writer in self.others.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            writer(&mut text);
        }
        text
    }

    /// Regular tidying, every few seconds: what was measured moves into its buckets.
    pub fn tidy(&self) {
        self.recorder.run_upkeep();
    }
}
