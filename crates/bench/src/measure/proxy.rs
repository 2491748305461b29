//! What the proxy costs: calls a second through an upstream's endpoint (key, limit, log) against nginx doing the same to the same backend.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bare::{self, Bare};
use crate::load::{Budget, Outcome, closed, open};
use crate::nginx::{self, Nginx};
use crate::progress;
use crate::report::{Row, median, milliseconds};
use crate::server::{Place, Server};
use crate::setup::{Answer, Rig, fetch};
use crate::traffic::Reads;

/// The endpoint.
const ROUTE: &str = "/api/v1/shop/bare";
/// The backend's answer: about what a small object has.
const BODY: usize = 1024;
/// Least share of nginx' rate.
const SHARE: f64 = 0.60;
/// Most times nginx' 99th percentile, at the same rate.
const TIMES: f64 = 1.5;

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

type Side = (SocketAddr, Arc<Reads>);

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let answer = Answer { status: 200, content_type: "application/json".to_owned(), body: vec![b'x'; BODY] };
    let backend = Bare::start(&place.tool, &answer)?;
    let rig = Rig::on(server(place, backend.address)?).await?;
    rig.raise_limits().await?;
    let key = rig.key().await?;
    let nginx = Nginx::start(&key, backend.address, bare::PATH)?;
    let ours = (rig.server.address(), Arc::new(Reads::new(ROUTE, Some(&key), BODY)));
    let theirs = (nginx.address, Arc::new(Reads::new(nginx::PATH, Some(&key), BODY)));
    refuses_strangers(&ours, ROUTE).await?;
    refuses_strangers(&theirs, nginx::PATH).await?;
    let (mut our_runs, mut their_runs) = (Vec::new(), Vec::new());
    for round in 0..=config.rounds {
        // Round 0 warms both sides up and does not count.
        let time = if round == 0 { config.run.min(Duration::from_secs(1)) } else { config.run };
        let their = once(&theirs, config, time).await.context("nginx")?;
        let our = once(&ours, config, time).await.context("the proxy")?;
        if round > 0 {
            progress::say(format!("proxy round {round}: {:.0}/s, nginx {:.0}/s", our.rate(), their.rate()));
            our_runs.push(our);
            their_runs.push(their);
        }
    }
    let mut rows = saturated(&our_runs, &their_runs, config);
    let (our_rate, their_rate) = (rate(&our_runs), rate(&their_runs));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive and far below 2^63")]
    let half = (our_rate.min(their_rate) / 2.0) as u64;
    rows.extend(steady(&ours, &theirs, config, half.max(1)).await?);
    Ok(rows)
}

/// A server whose blueprint has an endpoint that `backend` answers.
fn server(place: &Place, backend: SocketAddr) -> Result<Server> {
    let mut server = Server::prepare(place)?;
    let blueprint = server.run(&["blueprint", "show", "insurance-leads"])?;
    let upstream = format!(
        "\n[[upstreams]]\nname = \"shop\"\ntargets = [\"http://{backend}\"]\nmax_idle = 256\n\n[[endpoints]]\nmethod = \"GET\"\npath = \"/shop/bare\"\n\
         operation = {{ type = \"upstream\", upstream = \"shop\", path = \"{}\" }}\nscope = \"\"\n",
        bare::PATH
    );
    server.set_blueprint(&format!("{blueprint}\n{upstream}"))?;
    Ok(server)
}

/// A side that lets everybody in would be measured for nothing.
async fn refuses_strangers(side: &Side, path: &str) -> Result<()> {
    let answer = fetch(side.0, "GET", path, &[("authorization", "Bearer nobody")], None).await?;
    ensure!(answer.status == 401, "GET {path} with a wrong key: {}", answer.status);
    Ok(())
}

async fn once(side: &Side, config: &Config, time: Duration) -> Result<Outcome> {
    closed(side.0, config.callers, Budget { count: u64::MAX, time }, side.1.clone()).await.all_good()
}

fn rate(runs: &[Outcome]) -> f64 {
    median(&runs.iter().map(Outcome::rate).collect::<Vec<_>>())
}

fn quantile(runs: &[Outcome], q: f64) -> Duration {
    median(&runs.iter().map(|run| run.latency.quantile(q)).collect::<Vec<_>>())
}

fn saturated(ours: &[Outcome], theirs: &[Outcome], config: &Config) -> Vec<Row> {
    let name = |what: &str| format!("proxy, {what} ({} callers)", config.callers);
    let compare = |what: &str, q: f64| {
        let (our, their) = (quantile(ours, q), quantile(theirs, q));
        Row::information(name(what), milliseconds(our)).against(milliseconds(their), times(our, their))
    };
    vec![Row::share(name("requests against nginx"), rate(ours), rate(theirs), SHARE), compare("p50", 0.50), compare("p99", 0.99)]
}

/// Both at the same rate, half of what the slower one can do, in turn.
async fn steady(ours: &Side, theirs: &Side, config: &Config, per_second: u64) -> Result<Vec<Row>> {
    let (mut our_runs, mut their_runs) = (Vec::new(), Vec::new());
    for _ in 0..config.rounds {
        for (side, runs) in [(theirs, &mut their_runs), (ours, &mut our_runs)] {
            let budget = Budget { count: u64::MAX, time: config.run };
            runs.push(open(side.0, config.callers, per_second, budget, side.1.clone()).await.all_good()?);
        }
    }
    let (our, their) = (quantile(&our_runs, 0.99), quantile(&their_runs, 0.99));
    let ratio = times(our, their);
    let met = ratio <= TIMES;
    progress::say(format!("proxy at {per_second}/s: p99 {}, nginx {}", milliseconds(our), milliseconds(their)));
    let name = format!("proxy, p99 at {per_second}/s against nginx");
    let row = Row::bound(name, milliseconds(our), format!("≤ {TIMES:.1} ×"), met);
    Ok(vec![row.against(milliseconds(their), ratio)])
}

fn times(our: Duration, their: Duration) -> f64 {
    our.as_secs_f64() / their.as_secs_f64().max(1e-9)
}
