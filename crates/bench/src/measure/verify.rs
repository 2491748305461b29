//! What key verification costs a host with a gateway of its own: `POST /api-keys/verify` against a bare axum route with the same bytes both ways.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::gate::{Config, compared};
use crate::bare::{self, Bare};
use crate::load::{Budget, Outcome, closed};
use crate::progress;
use crate::report::Row;
use crate::server::Place;
use crate::setup::{Rig, fetch};
use crate::traffic::Asks;

const ROUTE: &str = "/api/v1/api-keys/verify";
/// The least share of the bare route's requests a second.
const TARGET: f64 = 0.60;

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    rig.raise_limits().await?;
    let bearer = format!("Bearer {}", rig.service_key);
    let body = json!({ "key": rig.key().await?, "scopes": ["leads:read"] });
    let headers = [("authorization", bearer.as_str())];
    let answer = fetch(rig.server.address(), "POST", ROUTE, &headers, Some(&body)).await?;
    let said = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == 200 && said.contains("\"VALID\""), "POST {ROUTE} with a key: {} {said}", answer.status);
    let bare = Bare::start(&place.tool, &answer)?;
    let ours = (rig.server.address(), Arc::new(Asks::new(ROUTE, &headers, &body, "\"VALID\"")));
    let theirs = (bare.address, Arc::new(Asks::new(bare::PATH, &headers, &body, "\"VALID\"")));
    let mut runs = (Vec::new(), Vec::new());
    for round in 0..=config.rounds {
        // Round 0 warms both sides up and does not count.
        let time = if round == 0 { config.run.min(Duration::from_secs(1)) } else { config.run };
        let bare_run = once(&theirs, config, time).await.context("the bare route")?;
        let verify_run = once(&ours, config, time).await.context("verify")?;
        if round > 0 {
            progress::say(format!("verify round {round}: {:.0}/s, bare {:.0}/s", verify_run.rate(), bare_run.rate()));
            runs.0.push(verify_run);
            runs.1.push(bare_run);
        }
    }
    Ok(compared("verify", TARGET, &runs.0, &runs.1, config))
}

async fn once(target: &(SocketAddr, Arc<Asks>), config: &Config, time: Duration) -> Result<Outcome> {
    closed(target.0, config.callers, Budget { count: u64::MAX, time }, target.1.clone()).await.all_good()
}
