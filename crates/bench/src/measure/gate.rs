//! What the gate costs: requests a second on a real route (key, scope, tier, usage row) against a bare axum route with the same bytes.

use anyhow::{Result, ensure};

use super::sides::{Side, alternate};
use crate::bare::{self, Bare};
use crate::report::Row;
use crate::server::Place;
use crate::setup::{Rig, fetch};
use crate::traffic::Reads;

pub use super::sides::Config;

/// The route: any valid credential may ask it, and it needs no database.
const ROUTE: &str = "/api/v1/rate-limits";

/// The least share of the bare route's requests a second.
const TARGET: f64 = 0.70;

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let rig = Rig::start(place).await?;
    rig.raise_limits().await?;
    let key = rig.key().await?;
    let bearer = format!("Bearer {key}");
    let answer = fetch(rig.server.address(), "GET", ROUTE, &[("authorization", &bearer)], None).await?;
    ensure!(answer.status == 200, "GET {ROUTE} with a key: {}", answer.status);
    let bare = Bare::start(&place.tool, &answer)?;
    let ours = Side::new("gate", rig.server.address(), Reads::new(ROUTE, Some(&key), answer.body.len()));
    let theirs = Side::new("bare", bare.address, Reads::new(bare::PATH, Some(&key), answer.body.len()));
    Ok(alternate(&ours, &theirs, config).await?.rows("gate", "requests", TARGET, config))
}
