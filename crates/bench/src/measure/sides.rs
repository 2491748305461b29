//! Two sides that answer the same, measured in alternating runs as fast as their callers go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::load::{Budget, Outcome, Traffic, closed};
use crate::progress;
use crate::report::{Row, median, milliseconds};

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Callers, each on its own connection.
    pub callers: usize,
    /// Length of one run.
    pub run: Duration,
    /// Runs of each side, alternating.
    pub rounds: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { callers: 64, run: Duration::from_secs(5), rounds: 3 }
    }
}

/// Who is asked, and what.
pub(crate) struct Side<T> {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) traffic: Arc<T>,
}

impl<T: Traffic> Side<T> {
    pub(crate) fn new(name: &'static str, address: SocketAddr, traffic: T) -> Self {
        Self { name, address, traffic: Arc::new(traffic) }
    }

    async fn once(&self, config: &Config, time: Duration) -> Result<Outcome> {
        let budget = Budget { count: u64::MAX, time };
        closed(self.address, config.callers, budget, Arc::clone(&self.traffic)).await.all_good().context(self.name)
    }
}

/// What the runs of both sides brought.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) ours: Vec<Outcome>,
    pub(crate) theirs: Vec<Outcome>,
}

/// Runs both in turns.
pub(crate) async fn alternate<T: Traffic>(ours: &Side<T>, theirs: &Side<T>, config: &Config) -> Result<Runs> {
    let mut runs = Runs::default();
    for round in 0..=config.rounds {
        // Round 0 warms both sides up and does not count.
        let time = if round == 0 { config.run.min(Duration::from_secs(1)) } else { config.run };
        let their = theirs.once(config, time).await?;
        let our = ours.once(config, time).await?;
        if round > 0 {
            progress::say(format!("{} round {round}: {:.0}/s, {} {:.0}/s", ours.name, our.rate(), theirs.name, their.rate()));
            runs.ours.push(our);
            runs.theirs.push(their);
        }
    }
    Ok(runs)
}

impl Runs {
    /// Rates and latencies of both sides. `requests`: what the rate is called; `target`: the least share of the reference's.
    pub(crate) fn rows(&self, of: &str, requests: &str, target: f64, config: &Config) -> Vec<Row> {
        let name = |what: &str| format!("{of}, {what} ({} callers)", config.callers);
        let compare = |what: &str, q: f64| {
            let (our, their) = (quantile(&self.ours, q), quantile(&self.theirs, q));
            Row::information(name(what), milliseconds(our)).against(milliseconds(their), times(our, their))
        };
        vec![Row::share(name(requests), rate(&self.ours), rate(&self.theirs), target), compare("p50", 0.50), compare("p99", 0.99)]
    }
}

/// The median rate of some runs.
pub(crate) fn rate(runs: &[Outcome]) -> f64 {
    median(&runs.iter().map(Outcome::rate).collect::<Vec<_>>())
}

/// The median of their latencies at `q`.
pub(crate) fn quantile(runs: &[Outcome], q: f64) -> Duration {
    median(&runs.iter().map(|run| run.latency.quantile(q)).collect::<Vec<_>>())
}

/// How many times `their` `our` is.
pub(crate) fn times(our: Duration, their: Duration) -> f64 {
    our.as_secs_f64() / their.as_secs_f64().max(1e-9)
}
