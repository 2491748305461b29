//! One event for thousands of webhooks: all have it, once, and nobody else waits for that.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::clock;
use crate::load::{Budget, closed};
use crate::measure::memory::Watch;
use crate::measure::{ARRIVAL, books, books_of};
use crate::process::resident;
use crate::receiver::Receiver;
use crate::report::{Row, megabytes, per_second, thousands};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Publisher, Singles};

/// Memory may grow by this, in bytes.
pub const GROWTH: u64 = 256_000_000;

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Webhooks that all get every event.
    pub webhooks: u32,
    /// Events.
    pub events: u64,
}

impl Config {
    /// One thousand.
    pub fn ci() -> Self {
        Self { webhooks: 1000, events: 3 }
    }

    /// Ten thousand.
    pub fn full() -> Self {
        Self { webhooks: 10_000, events: 3 }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Webhooks.
    pub webhooks: u32,
    /// Deliveries a second, from the first request to the last arrival.
    pub rate: f64,
    /// Events of which a webhook has none.
    pub lost: u64,
    /// Deliveries too many.
    pub duplicates: u64,
    /// How far memory grew, in bytes.
    pub growth: u64,
}

impl Report {
    /// As rows with verdicts.
    pub fn rows(&self) -> Vec<Row> {
        let name = |what: &str| format!("{what}, one event for {} webhooks", thousands(self.webhooks.into()));
        let both = format!("{} / {}", self.lost, self.duplicates);
        vec![
            Row::information(name("deliveries"), per_second(self.rate)),
            Row::bound(name("lost / duplicates"), both, "0 / 0", self.lost + self.duplicates == 0),
            Row::bound(name("memory growth"), megabytes(self.growth), "< 256 MB", self.growth < GROWTH),
        ]
    }
}

/// Runs the proof. An error means that it could not be carried out; a missed bound is in the report.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    let mut rig = Rig::start(place).await?;
    let receiver = Receiver::start(books("none", 0)?)?;
    rig.subscribe_many(&receiver.url(), &[MEASURED], config.webhooks).await?;
    let pid = rig.server.pid()?;
    let before = resident(pid)?;
    let watch = Watch::start(pid);
    let ledger = books_of("fan", config.events, config.webhooks)?;
    receiver.count_into(ledger.clone());
    let traffic = Arc::new(Singles { publisher: Publisher::new(&rig, MEASURED), ledger: ledger.clone() });
    let start = clock::now_ns();
    closed(rig.server.address(), 1, Budget { count: config.events, time: Duration::from_secs(120) }, traffic).await.all_good()?;
    ensure!(ledger.accepted() == config.events, "{} of {} accepted", ledger.accepted(), config.events);
    ledger.wait_for(config.events, ARRIVAL).await;
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let rate = config.events as f64 * f64::from(config.webhooks) / ledger.span_since(start).as_secs_f64().max(1e-9);
    let growth = watch.greatest().await.saturating_sub(before);
    Ok(Report { webhooks: config.webhooks, rate, lost: ledger.lost(0).0, duplicates: ledger.duplicates(), growth })
}
