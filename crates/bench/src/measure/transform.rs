//! What a transform costs: the same events to the same webhook, with and without a simple function, in alternating runs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

pub use super::batches::Config;
use super::{ARRIVAL, books, warm_up};
use crate::clock;
use crate::load::{Budget, closed};
use crate::progress;
use crate::receiver::Receiver;
use crate::report::{Row, median};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Batches, Publisher};

/// No publishing lasts longer.
const PUBLISHING: Duration = Duration::from_secs(120);
/// What most transforms are: a few members more, a few fewer. The id stays where the receiver counts it.
const SIMPLE: &str = "function handler(webhook) {
  const { data } = webhook.body;
  webhook.body.data = { ...data, source: webhook.type, full: `${data.leadId}!` };
  return webhook;
}";

/// A server with one webhook, and the receiver behind it.
struct Bed {
    rig: Rig,
    receiver: Receiver,
}

impl Bed {
    async fn start(place: &Place, transform: Option<&str>) -> Result<Self> {
        let rig = Rig::start(place).await?;
        let receiver = Receiver::start(books("none", 0)?)?;
        let mut webhook = json!({"url": receiver.url(), "events": ["*"]});
        if let Some(transform) = transform {
            webhook["transform"] = transform.into();
        }
        rig.call("POST", &format!("/api/v1/api-clients/{}/webhooks", rig.client), Some(&webhook)).await?;
        warm_up(&rig, &receiver).await?;
        Ok(Self { rig, receiver })
    }
}

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    let (without, with) = (Bed::start(place, None).await?, Bed::start(place, Some(SIMPLE)).await?);
    let (mut plain, mut shaped, mut lost) = (Vec::new(), Vec::new(), 0);
    for round in 1..=config.rounds {
        for (bed, rates) in [(&without, &mut plain), (&with, &mut shaped)] {
            let (rate, missing) = deliver(bed, config).await?;
            rates.push(rate);
            lost += missing;
        }
        progress::say(format!("transform round {round}: without {:.0}/s, with {:.0}/s", plain[round - 1], shaped[round - 1]));
    }
    Ok(vec![
        Row::share("delivered with a simple transform, against none", median(&shaped), median(&plain), 0.5),
        Row::bound("lost, with and without a transform", lost.to_string(), "0 lost", lost == 0),
    ])
}

/// Deliveries a second, and how many are missing.
#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
async fn deliver(bed: &Bed, config: &Config) -> Result<(f64, u64)> {
    let Bed { rig, receiver } = bed;
    let ledger = books("shape", config.events)?;
    receiver.count_into(ledger.clone());
    let start = clock::now_ns();
    let traffic = Arc::new(Batches { publisher: Publisher::new(rig, MEASURED), ledger: ledger.clone(), size: config.batch });
    let budget = Budget { count: traffic.requests(), time: PUBLISHING };
    closed(rig.server.address(), config.callers, budget, traffic).await.all_good().context("publishing in batches")?;
    ledger.wait_for(ledger.accepted(), ARRIVAL).await;
    Ok((ledger.unique() as f64 / ledger.span_since(start).as_secs_f64().max(1e-9), ledger.lost(0).0))
}
