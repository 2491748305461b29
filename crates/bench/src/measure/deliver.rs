//! What delivery costs: events published over HTTP until the receiver has them all, against a bare client that only posts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{ARRIVAL, books, books_of, warm_up};
use crate::clock;
use crate::ledger::Ledger;
use crate::load::{Budget, closed};
use crate::post::{self, Kind};
use crate::process::processor_time;
use crate::progress;
use crate::receiver::{Capture, Receiver};
use crate::report::{Row, median, per_second};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Batches, Publisher, Singles};

/// No publishing lasts longer.
const PUBLISHING: Duration = Duration::from_secs(120);
/// Webhooks of one client that get the same event when fan-out is measured.
const FAN_OUT: u32 = 10;

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Deliveries of one run.
    pub events: u64,
    /// Callers that publish one by one, and posts that the reference has in flight.
    pub callers: usize,
    /// Callers that publish batches.
    pub batch_callers: usize,
    /// Events in a batch.
    pub batch: u64,
    /// Runs of each kind, alternating.
    pub rounds: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { events: 40_000, callers: 64, batch_callers: 8, batch: 100, rounds: 3 }
    }
}

/// How events are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    OneByOne,
    Batches,
    /// In batches, to [`FAN_OUT`] webhooks each.
    FanOut,
}

impl Way {
    const ALL: [Self; 3] = [Self::OneByOne, Self::Batches, Self::FanOut];

    fn name(self, config: &Config) -> String {
        match self {
            Self::OneByOne => format!("one by one ({} callers)", config.callers),
            Self::Batches => format!("in batches of {}", config.batch),
            Self::FanOut => format!("in batches of {}, fan-out {FAN_OUT}", config.batch),
        }
    }

    fn copies(self) -> u32 {
        if self == Self::FanOut { FAN_OUT } else { 1 }
    }

    /// The least share of the bare client's rate, by engine.
    fn least(self, postgres: bool) -> f64 {
        match (self, postgres) {
            (Self::OneByOne, false) => 0.22,
            (Self::Batches, false) => 0.42,
            (Self::FanOut, false) => 0.50,
            (Self::OneByOne, true) => 0.10,
            (Self::Batches, true) => 0.20,
            (Self::FanOut, true) => 0.30,
        }
    }
}

/// What one run of ours showed.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Deliveries a second.
    rate: f64,
    lost: u64,
    duplicates: u64,
    /// The server's processor time for one delivery, in microseconds.
    processor: f64,
}

/// A server with one client, its webhooks, and the receiver behind them.
struct Bed {
    rig: Rig,
    receiver: Receiver,
    template: Capture,
}

impl Bed {
    async fn start(place: &Place, webhooks: u32) -> Result<Self> {
        let rig = Rig::start(place).await?;
        let receiver = Receiver::start(books("none", 0)?)?;
        rig.subscribe(&receiver.url(), &["*"]).await?;
        let template = warm_up(&rig, &receiver).await?;
        for _ in 1..webhooks {
            rig.subscribe(&receiver.url(), &["*"]).await?;
        }
        Ok(Self { rig, receiver, template })
    }
}

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let (bed, wide) = (Bed::start(place, 1).await?, Bed::start(place, FAN_OUT).await?);
    let (mut clients, mut raws, mut runs) = (Vec::new(), Vec::new(), Way::ALL.map(|_| Vec::new()));
    for round in 1..=config.rounds {
        clients.push(reference(place, config, &bed, Kind::Client).await?);
        raws.push(reference(place, config, &bed, Kind::Raw).await?);
        for (way, runs) in Way::ALL.into_iter().zip(&mut runs) {
            let bed = if way == Way::FanOut { &wide } else { &bed };
            let run = publish(bed, config, way).await.with_context(|| format!("publishing {}", way.name(config)))?;
            progress::say(format!("deliver round {round}: {} {:.0}/s", way.name(config), run.rate));
            runs.push(run);
        }
        progress::say(format!("deliver round {round}: bare client {:.0}/s, raw connections {:.0}/s", clients[round - 1], raws[round - 1]));
    }
    let (client, raw) = (median(&clients), median(&raws));
    let mut rows = vec![
        Row::information("bare client: pooled, signs every body", per_second(client)),
        Row::information("bare client: raw connections, nothing signed", per_second(raw)),
    ];
    for (way, runs) in Way::ALL.into_iter().zip(&runs) {
        rows.extend(shown(way, config, runs, [client, raw], place.postgres.is_some()));
    }
    Ok(rows)
}

async fn reference(place: &Place, config: &Config, bed: &Bed, kind: Kind) -> Result<f64> {
    let ledger = books("post", config.events)?;
    bed.receiver.count_into(ledger.clone());
    let (to, prefix) = (bed.receiver.address(), ledger.prefix().to_owned());
    let wanted = post::Config { kind, to, count: config.events, in_flight: config.callers, prefix, time: PUBLISHING };
    let posted = post::run_child(&place.tool, &wanted, &bed.template).await?;
    ensure!(posted.failed == 0 && ledger.unique() == posted.good, "the bare client: {posted:?}, {} received", ledger.unique());
    Ok(posted.rate())
}

async fn publish(bed: &Bed, config: &Config, way: Way) -> Result<Run> {
    let (rig, copies) = (&bed.rig, way.copies());
    let ledger = books_of("run", config.events / u64::from(copies), copies)?;
    bed.receiver.count_into(ledger.clone());
    let (publisher, address) = (Publisher::new(rig, MEASURED), rig.server.address());
    let used = processor_time(rig.server.pid()?)?;
    let start = clock::now_ns();
    let outcome = if way == Way::OneByOne {
        let traffic = Arc::new(Singles { publisher, ledger: ledger.clone() });
        closed(address, config.callers, Budget { count: config.events, time: PUBLISHING }, traffic).await
    } else {
        let traffic = Arc::new(Batches { publisher, ledger: ledger.clone(), size: config.batch });
        closed(address, config.batch_callers, Budget { count: traffic.requests(), time: PUBLISHING }, traffic).await
    };
    outcome.all_good()?;
    // Whether or not all arrive in time: what is missing then is counted as lost.
    ledger.wait_for(ledger.accepted(), ARRIVAL).await;
    let used = processor_time(rig.server.pid()?)?.saturating_sub(used);
    Ok(summary(&ledger, copies, ledger.span_since(start), used))
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn summary(ledger: &Ledger, copies: u32, span: Duration, used: Duration) -> Run {
    let deliveries = ledger.unique() as f64 * f64::from(copies);
    Run {
        rate: deliveries / span.as_secs_f64().max(1e-9),
        lost: ledger.lost(0).0,
        duplicates: ledger.duplicates(),
        processor: used.as_secs_f64() * 1e6 / deliveries.max(1.0),
    }
}

fn shown(way: Way, config: &Config, runs: &[Run], [client, raw]: [f64; 2], postgres: bool) -> Vec<Row> {
    let kind = way.name(config);
    let rate = median(&runs.iter().map(|run| run.rate).collect::<Vec<_>>());
    let (lost, twice) = runs.iter().fold((0, 0), |sum, run| (sum.0 + run.lost, sum.1 + run.duplicates));
    let processor = median(&runs.iter().map(|run| run.processor).collect::<Vec<_>>());
    let mut rows = vec![
        Row::share(format!("delivered, {kind}"), rate, client, way.least(postgres)),
        Row::information(format!("the same against raw connections, {kind}"), per_second(rate)).against(per_second(raw), rate / raw),
        Row::bound(format!("lost / duplicates, {kind}"), format!("{lost} / {twice}"), "0 lost", lost == 0),
        Row::information(format!("server's processor time a delivery, {kind}"), format!("{processor:.0} µs")),
    ];
    if way == Way::OneByOne && !postgres {
        rows.push(Row::bound("delivered, one by one, absolute", per_second(rate), "≥ 8,000/s", rate >= 8000.0));
    }
    rows
}
