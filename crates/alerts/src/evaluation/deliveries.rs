//! The share of a webhook's attempts that arrived.

use std::time::Duration;

use dispatch::rollups::{self, Share};
use kernel::Result;

use super::MOST;
use super::judge::rate_is_well;
use super::measure::{Measure, Measured, real};
use crate::Alerts;

const HOUR: Duration = Duration::from_hours(1);

pub(super) async fn measure(alerts: &Alerts, high: f64) -> Result<Measured> {
    let since = alerts.ambient.now().minus(HOUR);
    // Whole percents: those that are a little above the highest threshold keep an alert from closing.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
    let below = rate_is_well(high).ceil() as u64;
    let shares = alerts.store.logs().read(crate::scope(), move |tx| rollups::below(tx, since, below, MOST)).await?;
    let rows = shares.len();
    Ok(Measured::of(shares.into_iter().map(of).collect(), rows))
}

fn of(share: Share) -> Measure {
    let Share { tenant, destination, attempts, succeeded } = share;
    let percent = real(succeeded) * 100.0 / real(attempts.max(1));
    let summary =
        format!("{succeeded} of {attempts} attempts to deliver to {destination} arrived ({percent:.0} %) in this hour and the one before");
    Measure { tenant: Some(tenant), subject: destination.to_string(), value: percent, basis: attempts, summary }
}
