//! How late a webhook is at a steady rate: an open loop, so that a stall of the server counts for every event that it delays.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ARRIVAL, books, warm_up};
use crate::ledger::{Latencies, Ledger};
use crate::load::{Budget, Outcome, open};
use crate::receiver::Receiver;
use crate::report::{Row, milliseconds};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Publisher, Singles};

/// The 99th percentile from accepted to received stays below this.
const TARGET: Duration = Duration::from_millis(10);
/// The median too.
const TARGET_P50: Duration = Duration::from_millis(2);

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Events a second.
    pub rate: u64,
    /// For how long.
    pub time: Duration,
    /// Connections at most.
    pub callers: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { rate: 300, time: Duration::from_secs(20), callers: 32 }
    }
}

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    let receiver = Receiver::start(books("none", 0)?)?;
    rig.subscribe(&receiver.url(), &["*"]).await?;
    warm_up(&rig, &receiver).await?;
    let (ledger, outcome) = probe(&rig, &receiver, MEASURED, config).await?;
    let Latencies { accepted, due } = ledger.latencies();
    let name = |what: &str| format!("{what} at {}/s", config.rate);
    let shown = |p50: Duration, p99: Duration| format!("p50 {}, p99 {}", milliseconds(p50), milliseconds(p99));
    let (p50, p99) = (accepted.quantile(0.5), accepted.quantile(0.99));
    Ok(vec![
        Row::bound(name("accepted → received"), shown(p50, p99), "p50 < 2 ms, p99 < 10 ms", p50 < TARGET_P50 && p99 < TARGET),
        Row::information(name("due → received"), shown(due.quantile(0.5), due.quantile(0.99))),
        Row::information(name("due → accepted"), shown(outcome.latency.quantile(0.5), outcome.latency.quantile(0.99))),
        Row::information("the generator's own lag (part of both)", shown(outcome.lag.quantile(0.5), outcome.lag.quantile(0.99))),
    ])
}

/// Publishes events of type `event` at a fixed rate and waits for the last; every one must be accepted and arrive.
pub(crate) async fn probe(rig: &Rig, receiver: &Receiver, event: &'static str, config: &Config) -> Result<(Arc<Ledger>, Outcome)> {
    let ledger = books("probe", config.rate * config.time.as_secs().max(1))?;
    let outcome = probe_into(rig, receiver, event, config, &ledger).await?;
    ledger.wait_for(ledger.accepted(), ARRIVAL).await;
    let (lost, ids) = ledger.lost(3);
    ensure!(lost == 0, "{lost} of {} events did not arrive, among them {ids:?}; log: {}", ledger.accepted(), rig.server.log_tail());
    Ok((ledger, outcome))
}

/// Publishes events of type `event` at a fixed rate; every one must be accepted.
pub(crate) async fn probe_into(
    rig: &Rig,
    receiver: &Receiver,
    event: &'static str,
    config: &Config,
    ledger: &Arc<Ledger>,
) -> Result<Outcome> {
    receiver.count_into(ledger.clone());
    let traffic = Arc::new(Singles { publisher: Publisher::new(rig, event), ledger: ledger.clone() });
    let budget = Budget { count: ledger.size() as u64, time: config.time };
    open(rig.server.address(), config.callers, config.rate, budget, traffic).await.all_good()
}
