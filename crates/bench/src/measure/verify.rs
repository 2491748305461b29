//! What key verification costs a host with a gateway of its own: `POST /api-keys/verify` against a bare axum route with the same bytes both ways.

use anyhow::{Result, ensure};
use serde_json::json;

use super::sides::{Side, alternate};
use crate::bare::{self, Bare};
use crate::report::Row;
use crate::server::Place;
use crate::setup::{Rig, fetch};
use crate::traffic::Asks;

pub use super::sides::Config;

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
    let ours = Side::new("verify", rig.server.address(), Asks::new(ROUTE, &headers, &body, "\"VALID\""));
    let theirs = Side::new("bare", bare.address, Asks::new(bare::PATH, &headers, &body, "\"VALID\""));
    Ok(alternate(&ours, &theirs, config).await?.rows("verify", "requests", TARGET, config))
}
