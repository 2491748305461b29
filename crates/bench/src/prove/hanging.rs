//! One tenant's receiver hangs with a thousand events waiting for it: another tenant's event is not late by more than 50 ms.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::load::{Budget, closed};
use crate::measure::books;
use crate::measure::latency::{self, Config as Probe};
use crate::receiver::{Behaviour, Receiver};
use crate::report::{Row, milliseconds, thousands};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Batches, Publisher};

/// No event of the other tenant may be later than this.
pub const LATEST: Duration = Duration::from_millis(50);

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Events that wait for the hanging receiver.
    pub queued: u64,
    /// The other tenant's events.
    pub probe: Probe,
}

impl Config {
    /// As the promise says.
    pub fn ci() -> Self {
        Self { queued: 1000, probe: Probe { rate: 20, time: Duration::from_secs(10), callers: 4 } }
    }
}

/// What was found: the other tenant's latencies from accepted to received.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Events that waited.
    pub queued: u64,
    /// The 99th percentile.
    pub p99: Duration,
    /// The latest of all.
    pub latest: Duration,
}

impl Report {
    /// Whether none was too late.
    pub fn is_unhurt(&self) -> bool {
        self.p99 <= LATEST
    }

    /// As a row with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let name = format!("another tenant's p99 while {} events hang", thousands(self.queued));
        let shown = format!("{} (latest {})", milliseconds(self.p99), milliseconds(self.latest));
        vec![Row::bound(name, shown, "≤ 50 ms", self.is_unhurt())]
    }
}

/// Runs the proof. An error means that it could not be carried out; a missed bound is in the report.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    let mut rig = Rig::start(place).await?;
    let hanging = Receiver::start(books("none", 0)?)?;
    hanging.behave(Behaviour::Hanging);
    rig.subscribe(&hanging.url(), &["*"]).await?;
    let ledger = books("hang", config.queued)?;
    let traffic = Arc::new(Batches { publisher: Publisher::new(&rig, MEASURED), ledger: ledger.clone(), size: 100 });
    let budget = Budget { count: traffic.requests(), time: Duration::from_secs(60) };
    closed(rig.server.address(), 2, budget, traffic).await.all_good()?;

    rig.become_another_tenant().await?;
    let healthy = Receiver::start(books("none", 0)?)?;
    rig.subscribe(&healthy.url(), &["*"]).await?;
    let (found, _) = latency::probe(&rig, &healthy, MEASURED, &config.probe).await?;
    let accepted = found.latencies().accepted;
    Ok(Report { queued: config.queued, p99: accepted.quantile(0.99), latest: accepted.max() })
}
