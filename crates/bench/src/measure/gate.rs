//! What the gate costs: requests a second on a real route (key, scope, tier, usage row) against a bare axum route with the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bare::{self, Bare};
use crate::load::{Budget, Outcome, closed};
use crate::progress;
use crate::report::{Row, median, milliseconds};
use crate::server::Place;
use crate::setup::{Rig, fetch};
use crate::traffic::Reads;

/// The route: any valid credential may ask it, and it needs no database.
const ROUTE: &str = "/api/v1/rate-limits";

/// The least share of the bare route's requests a second.
const TARGET: f64 = 0.70;

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

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    rig.raise_limits().await?;
    let key = rig.key().await?;
    let bearer = format!("Bearer {key}");
    let answer = fetch(rig.server.address(), "GET", ROUTE, &[("authorization", &bearer)], None).await?;
    ensure!(answer.status == 200, "GET {ROUTE} with a key: {}", answer.status);
    let bare = Bare::start(&place.tool, &answer)?;
    let gate = (rig.server.address(), Arc::new(Reads::new(ROUTE, Some(&key), answer.body.len())));
    let reference = (bare.address, Arc::new(Reads::new(bare::PATH, Some(&key), answer.body.len())));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=config.rounds {
        // Round 0 warms both sides up and does not count.
        let time = if round == 0 { config.run.min(Duration::from_secs(1)) } else { config.run };
        let bare_run = once(&reference, config, time).await.context("the bare route")?;
        let gate_run = once(&gate, config, time).await.context("the gate")?;
        if round > 0 {
            progress::say(format!("gate round {round}: {:.0}/s, bare {:.0}/s", gate_run.rate(), bare_run.rate()));
            ours.push(gate_run);
            theirs.push(bare_run);
        }
    }
    Ok(compared("gate", TARGET, &ours, &theirs, config))
}

async fn once(target: &(SocketAddr, Arc<Reads>), config: &Config, time: Duration) -> Result<Outcome> {
    closed(target.0, config.callers, Budget { count: u64::MAX, time }, target.1.clone()).await.all_good()
}

/// Rates and latencies of both sides. `target`: the least share of the reference's rate.
pub(super) fn compared(of: &str, target: f64, ours: &[Outcome], theirs: &[Outcome], config: &Config) -> Vec<Row> {
    let rate = |runs: &[Outcome]| median(&runs.iter().map(Outcome::rate).collect::<Vec<_>>());
    let quantile = |runs: &[Outcome], q: f64| median(&runs.iter().map(|run| run.latency.quantile(q)).collect::<Vec<_>>());
    let name = |what: &str| format!("{of}, {what} ({} callers)", config.callers);
    let compare = |what: &str, q: f64| {
        let (our, their) = (quantile(ours, q), quantile(theirs, q));
        Row::information(name(what), milliseconds(our)).against(milliseconds(their), our.as_secs_f64() / their.as_secs_f64().max(1e-9))
    };
    vec![Row::share(name("requests"), rate(ours), rate(theirs), target), compare("p50", 0.50), compare("p99", 0.99)]
}
