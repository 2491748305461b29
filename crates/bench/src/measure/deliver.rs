//! What delivery costs: events published over HTTP until the receiver has them all, against a bare client that only posts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{ARRIVAL, books, warm_up};
use crate::clock;
use crate::ledger::Ledger;
use crate::load::{Budget, closed};
use crate::post;
use crate::process::processor_time;
use crate::progress;
use crate::receiver::{Capture, Receiver};
use crate::report::{Row, median, per_second};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Batches, Publisher, Singles};

/// No publishing lasts longer.
const PUBLISHING: Duration = Duration::from_secs(120);

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Events of one run.
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

/// What one run of ours showed.
#[derive(Clone, Copy, Debug)]
struct Run {
    rate: f64,
    lost: u64,
    duplicates: u64,
    /// The server's processor time for one event, in microseconds.
    processor: f64,
}

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    let receiver = Receiver::start(books("none", 0)?)?;
    rig.subscribe(&receiver.url(), &["*"]).await?;
    let template = warm_up(&rig, &receiver).await?;
    let (mut posts, mut singles, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=config.rounds {
        posts.push(reference(place, config, &receiver, &template).await?);
        singles.push(publish(&rig, config, &receiver, false).await.context("publishing one by one")?);
        batches.push(publish(&rig, config, &receiver, true).await.context("publishing in batches")?);
        let (post, single, batch) = (posts[round - 1], singles[round - 1].rate, batches[round - 1].rate);
        progress::say(format!("deliver round {round}: one by one {single:.0}/s, in batches {batch:.0}/s, bare client {post:.0}/s"));
    }
    Ok(rows(config, &posts, &singles, &batches))
}

async fn reference(place: &Place, config: &Config, receiver: &Receiver, template: &Capture) -> Result<f64> {
    let ledger = books("post", config.events)?;
    receiver.count_into(ledger.clone());
    let prefix = ledger.prefix().to_owned();
    let wanted = post::Config { to: receiver.address(), count: config.events, in_flight: config.callers, prefix, time: PUBLISHING };
    let posted = post::run_child(&place.tool, &wanted, template).await?;
    ensure!(posted.failed == 0 && ledger.unique() == posted.good, "the bare client: {posted:?}, {} received", ledger.unique());
    Ok(posted.rate())
}

async fn publish(rig: &Rig, config: &Config, receiver: &Receiver, in_batches: bool) -> Result<Run> {
    let ledger = books(if in_batches { "batch" } else { "one" }, config.events)?;
    receiver.count_into(ledger.clone());
    let (publisher, address) = (Publisher::new(rig, MEASURED), rig.server.address());
    let used = processor_time(rig.server.pid()?)?;
    let start = clock::now_ns();
    let outcome = if in_batches {
        let traffic = Arc::new(Batches { publisher, ledger: ledger.clone(), size: config.batch });
        closed(address, config.batch_callers, Budget { count: traffic.requests(), time: PUBLISHING }, traffic).await
    } else {
        let traffic = Arc::new(Singles { publisher, ledger: ledger.clone() });
        closed(address, config.callers, Budget { count: config.events, time: PUBLISHING }, traffic).await
    };
    outcome.all_good()?;
    // Whether or not all arrive in time: what is missing then is counted as lost.
    ledger.wait_for(ledger.accepted(), ARRIVAL).await;
    let used = processor_time(rig.server.pid()?)?.saturating_sub(used);
    Ok(summary(&ledger, ledger.span_since(start), used))
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn summary(ledger: &Ledger, span: Duration, used: Duration) -> Run {
    let unique = ledger.unique() as f64;
    Run {
        rate: unique / span.as_secs_f64().max(1e-9),
        lost: ledger.lost(0).0,
        duplicates: ledger.duplicates(),
        processor: used.as_secs_f64() * 1e6 / unique.max(1.0),
    }
}

fn rows(config: &Config, posts: &[f64], singles: &[Run], batches: &[Run]) -> Vec<Row> {
    let reference = median(posts);
    let mut rows = Vec::new();
    let kinds =
        [(format!("one by one ({} callers)", config.callers), singles, 0.20), (format!("in batches of {}", config.batch), batches, 0.40)];
    for (kind, runs, least) in kinds {
        let rate = median(&runs.iter().map(|run| run.rate).collect::<Vec<_>>());
        let (lost, twice) = runs.iter().fold((0, 0), |sum, run| (sum.0 + run.lost, sum.1 + run.duplicates));
        let processor = median(&runs.iter().map(|run| run.processor).collect::<Vec<_>>());
        rows.push(Row::share(format!("delivered, {kind}"), rate, reference, least));
        rows.push(Row::bound(format!("lost / duplicates, {kind}"), format!("{lost} / {twice}"), "0 lost", lost == 0));
        rows.push(Row::information(format!("server's processor time an event, {kind}"), format!("{processor:.0} µs")));
        if kind.starts_with("one") {
            rows.push(Row::bound("delivered, one by one, absolute", per_second(rate), "≥ 8,000/s", rate >= 8000.0));
        }
    }
    rows
}
