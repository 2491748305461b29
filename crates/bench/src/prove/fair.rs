//! One dead and one slow receiver among many: the others do not notice. Every event goes to all of them; it has arrived when the last
//! healthy one has it, so one that waits for another's time-out shows at once.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::measure::latency::{self, Config as Probe};
use crate::measure::{ARRIVAL, books, books_of};
use crate::receiver::{Behaviour, Receiver, Refuser};
use crate::report::{Row, median, milliseconds, thousands};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};

/// Below this two runs differ by the machine's scheduler alone.
const NOISE: Duration = Duration::from_millis(10);

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Healthy webhooks.
    pub healthy: u32,
    /// Events a second; each is one delivery for each webhook.
    pub rate: u64,
    /// How long one probe is; three are made without and three with the others.
    pub time: Duration,
}

impl Config {
    /// 100 healthy ones.
    pub fn ci() -> Self {
        Self { healthy: 100, rate: 20, time: Duration::from_secs(4) }
    }

    /// 1,000 healthy ones.
    pub fn full() -> Self {
        Self { healthy: 1000, rate: 3, time: Duration::from_secs(20) }
    }
}

/// What was found: 99th percentiles from the event's acceptance until the last healthy one had it.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// How many healthy ones.
    pub healthy: u32,
    /// Among themselves.
    pub alone: Duration,
    /// Beside a dead and a slow one.
    pub beside: Duration,
}

impl Report {
    /// Whether it stayed within one and a half times (or is too small to tell).
    pub fn is_fair(&self) -> bool {
        self.beside <= (self.alone * 3 / 2).max(self.alone + NOISE)
    }

    /// As a row with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let name = format!("p99 until {} healthy receivers have it, beside a dead and a slow one", thousands(self.healthy.into()));
        let ratio = self.beside.as_secs_f64() / self.alone.as_secs_f64().max(1e-9);
        let row = Row::bound(name, milliseconds(self.beside), "≤ 1.50 (or 10 ms more)", self.is_fair());
        vec![row.against(milliseconds(self.alone), ratio)]
    }
}

/// Runs the proof. An error means that it could not be carried out; a missed bound is in the report.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    let mut rig = Rig::start(place).await?;
    let healthy = Receiver::start(books("none", 0)?)?;
    rig.subscribe_many(&healthy.url(), &[MEASURED], config.healthy).await?;
    let alone = probes(&rig, &healthy, config).await.context("the healthy ones alone")?;
    let (dead, slow) = (Refuser::new()?, Receiver::start(books("none", 0)?)?);
    slow.behave(Behaviour::Hanging);
    rig.subscribe(&dead.url()?, &[MEASURED]).await?;
    rig.subscribe(&slow.url(), &[MEASURED]).await?;
    let beside = probes(&rig, &healthy, config).await.context("beside a dead and a slow one")?;
    Ok(Report { healthy: config.healthy, alone, beside })
}

async fn probes(rig: &Rig, receiver: &Receiver, config: &Config) -> Result<Duration> {
    let mut found = Vec::new();
    for _ in 0..3 {
        let probe = Probe { rate: config.rate, time: config.time, callers: 8 };
        let ledger = books_of("fair", config.rate * config.time.as_secs(), config.healthy)?;
        latency::probe_into(rig, receiver, MEASURED, &probe, &ledger).await?;
        ledger.wait_for(ledger.accepted(), ARRIVAL).await;
        found.push(ledger.latencies().accepted.quantile(0.99));
    }
    Ok(median(&found))
}
