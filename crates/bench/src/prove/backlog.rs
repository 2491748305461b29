//! A dead receiver is nobody else's trouble: with a great many deliveries queued for it, memory grows by less than 100 MB and the 99th
//! percentile of a healthy receiver of the same client does not double.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::load::{Budget, closed};
use crate::measure::latency::{self, probe};
use crate::measure::memory::Watch;
use crate::measure::{books, warm_up_with};
use crate::process::resident;
use crate::progress;
use crate::receiver::{Behaviour, Receiver, Refuser};
use crate::report::{Row, median, megabytes, milliseconds, thousands};
use crate::server::Place;
use crate::setup::{MEASURED, OTHER, Rig};
use crate::traffic::{Batches, Publisher};

/// Memory may grow by this, in bytes.
pub const GROWTH: u64 = 100_000_000;
/// Below this a 99th percentile is the machine's scheduler, and doubling it says nothing: two runs without a backlog differ as much.
pub const NOISE: Duration = Duration::from_millis(5);

/// How the dead receiver is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Its port refuses connections.
    Refusing,
    /// It takes deliveries and never answers: the harder case, since every attempt holds its slot until the time-out.
    Hanging,
}

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Deliveries to queue for the dead receiver.
    pub count: u64,
    /// How it is dead.
    pub death: Death,
    /// One probe of the healthy receiver; three are made without and three with the backlog.
    pub probe: latency::Config,
    /// Publishing the backlog ends within this.
    pub patience: Duration,
}

impl Config {
    /// 100,000 deliveries.
    pub fn ci() -> Self {
        let probe = latency::Config { time: Duration::from_secs(5), ..latency::Config::default() };
        Self { count: 100_000, death: Death::Refusing, probe, patience: Duration::from_secs(300) }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Deliveries queued for the dead receiver.
    pub queued: u64,
    /// Memory before, in bytes.
    pub before: u64,
    /// The greatest memory while the backlog was made and while the healthy receiver was probed beside it.
    pub greatest: u64,
    /// The healthy receiver's 99th percentile (accepted to received) without the backlog: the median of three probes.
    pub healthy_alone: Duration,
    /// The same with the backlog.
    pub healthy_beside: Duration,
}

impl Report {
    /// How far memory grew, in bytes.
    pub fn growth(&self) -> u64 {
        self.greatest.saturating_sub(self.before)
    }

    /// Whether memory stayed within bounds.
    pub fn is_bounded(&self) -> bool {
        self.growth() < GROWTH
    }

    /// Whether the healthy receiver's 99th percentile did not double (or is still too small to tell).
    pub fn is_fair(&self) -> bool {
        self.healthy_beside <= (self.healthy_alone * 2).max(NOISE)
    }

    /// As rows with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let queued = thousands(self.queued);
        let (alone, beside) = (self.healthy_alone, self.healthy_beside);
        let growth = Row::bound(
            format!("memory growth, {queued} queued for a dead receiver"),
            megabytes(self.growth()),
            "< 100 MB",
            self.is_bounded(),
        );
        let ratio = beside.as_secs_f64() / alone.as_secs_f64().max(1e-9);
        let name = format!("p99 of a healthy receiver beside {queued} queued");
        let fair = Row::bound(name, milliseconds(beside), "≤ 2.00 (or < 5 ms)", self.is_fair());
        vec![growth, Row::information("memory before", megabytes(self.before)), fair.against(milliseconds(alone), ratio)]
    }
}

/// Runs the proof. An error means that it could not be carried out; a missed bound is in the report.
pub async fn run(place: &Place, config: &Config) -> Result<Report> {
    let rig = Rig::start(place).await?;
    let healthy = Receiver::start(books("none", 0)?)?;
    rig.subscribe(&healthy.url(), &[OTHER]).await?;
    let (refuser, hanging) = (Refuser::new()?, Receiver::start(books("none", 0)?)?);
    hanging.behave(Behaviour::Hanging);
    let dead = if config.death == Death::Refusing { refuser.url()? } else { hanging.url() };
    rig.subscribe(&dead, &[MEASURED]).await?;
    warm_up_with(&rig, &healthy, OTHER).await?;
    let healthy_alone = probes(&rig, &healthy, config).await.context("probing without the backlog")?;
    let pid = rig.server.pid()?;
    let before = resident(pid)?;
    let watch = Watch::start(pid);
    let queued = queue(&rig, config).await.context("making the backlog")?;
    progress::say(format!("{} deliveries queued for the dead receiver", thousands(queued)));
    let healthy_beside = probes(&rig, &healthy, config).await.context("probing beside the backlog")?;
    let report = Report { queued, before, greatest: watch.greatest().await, healthy_alone, healthy_beside };
    Ok(report)
}

async fn probes(rig: &Rig, healthy: &Receiver, config: &Config) -> Result<Duration> {
    let mut found = Vec::new();
    for _ in 0..3 {
        let (ledger, _) = probe(rig, healthy, OTHER, &config.probe).await?;
        found.push(ledger.latencies().accepted.quantile(0.99));
    }
    Ok(median(&found))
}

async fn queue(rig: &Rig, config: &Config) -> Result<u64> {
    let ledger = books("dead", config.count)?;
    let traffic = Arc::new(Batches { publisher: Publisher::new(rig, MEASURED), ledger: ledger.clone(), size: 200 });
    let budget = Budget { count: traffic.requests(), time: config.patience };
    closed(rig.server.address(), 4, budget, traffic).await.all_good()?;
    ensure!(ledger.accepted() == config.count, "{} of {} accepted in {:?}", ledger.accepted(), config.count, config.patience);
    Ok(ledger.accepted())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::all_met;

    #[test]
    fn verdicts() {
        let ms = Duration::from_millis;
        let report = |greatest, alone, beside| Report { queued: 1, before: 1_000, greatest, healthy_alone: alone, healthy_beside: beside };
        assert!(all_met(&report(GROWTH, ms(10), ms(20)).rows()));
        assert!(!report(GROWTH + 1_000, ms(10), ms(20)).is_bounded());
        assert!(!report(0, ms(10), ms(21)).is_fair());
        assert!(report(0, ms(1), ms(4)).is_fair());
    }
}
