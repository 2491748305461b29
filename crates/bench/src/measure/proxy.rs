//! What the proxy costs: calls a second through an upstream's endpoint (key, limit, log) against nginx doing the same to the same backend.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, ensure};

use super::sides::{Side, alternate, quantile, rate, times};
use crate::bare::{self, Bare};
use crate::load::{Budget, open};
use crate::nginx::{self, Nginx};
use crate::progress;
use crate::report::{Row, milliseconds};
use crate::server::{Place, Server};
use crate::setup::{Answer, Rig, fetch};
use crate::traffic::Reads;

pub use super::sides::Config;

/// The endpoint.
const ROUTE: &str = "/api/v1/shop/bare";
/// The backend's answer: about what a small object has.
const BODY: usize = 1024;
/// Least share of nginx' rate.
const SHARE: f64 = 0.60;
/// Most times nginx' 99th percentile, at the same rate.
const TIMES: f64 = 1.5;

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let answer = Answer { status: 200, content_type: "application/json".to_owned(), body: vec![b'x'; BODY] };
    let backend = Bare::start(&place.tool, &answer)?;
    let rig = Rig::on(server(place, backend.address)?).await?;
    rig.raise_limits().await?;
    let key = rig.key().await?;
    let nginx = Nginx::start(&key, backend.address, bare::PATH)?;
    let ours = Side::new("proxy", rig.server.address(), Reads::new(ROUTE, Some(&key), BODY));
    let theirs = Side::new("nginx", nginx.address, Reads::new(nginx::PATH, Some(&key), BODY));
    refuses_strangers(&ours, ROUTE).await?;
    refuses_strangers(&theirs, nginx::PATH).await?;
    let runs = alternate(&ours, &theirs, config).await?;
    let mut rows = runs.rows("proxy", "requests against nginx", SHARE, config);
    let (our_rate, their_rate) = (rate(&runs.ours), rate(&runs.theirs));
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
async fn refuses_strangers(side: &Side<Reads>, path: &str) -> Result<()> {
    let answer = fetch(side.address, "GET", path, &[("authorization", "Bearer nobody")], None).await?;
    ensure!(answer.status == 401, "GET {path} with a wrong key: {}", answer.status);
    Ok(())
}

/// Both at the same rate, half of what the slower one can do, in turn.
async fn steady(ours: &Side<Reads>, theirs: &Side<Reads>, config: &Config, per_second: u64) -> Result<Vec<Row>> {
    let (mut our_runs, mut their_runs) = (Vec::new(), Vec::new());
    for _ in 0..config.rounds {
        for (side, runs) in [(theirs, &mut their_runs), (ours, &mut our_runs)] {
            let budget = Budget { count: u64::MAX, time: config.run };
            runs.push(open(side.address, config.callers, per_second, budget, Arc::clone(&side.traffic)).await.all_good()?);
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
