//! Rules over what features noted as signals: counted over ten minutes.

use std::time::Duration;

use kernel::Result;
use signals::{Kind, Total};

use super::MOST;
use super::judge::COLD;
use super::measure::{Measure, Measured, real};
use crate::{Alerts, Rule};

const WINDOW: Duration = Duration::from_mins(10);

pub(super) async fn measure(alerts: &Alerts, rule: Rule, low: f64) -> Result<Measured> {
    let kind = match rule {
        Rule::FailedAuthentication => Kind::FailedKey,
        Rule::BruteForce => Kind::FailedAddress,
        Rule::RateLimitBreaches => Kind::RateLimited,
        _ => Kind::IntegrationError,
    };
    let since = alerts.ambient.now().minus(WINDOW);
    // Also those that are a little below the lowest threshold: they keep an alert from closing.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thresholds are between 1 and a million")]
    let least = (low * COLD).max(1.0) as u64;
    let totals = alerts.store.read(crate::scope(), move |tx| signals::totals(tx, kind, since, least, MOST)).await?;
    let rows = totals.len();
    Ok(Measured::of(totals.into_iter().map(|total| of(rule, total)).collect(), rows))
}

fn of(rule: Rule, total: Total) -> Measure {
    let Total { tenant, subject, count, detail, .. } = total;
    let said = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let summary = match rule {
        Rule::FailedAuthentication if subject == "unknown_keys" => {
            format!("{count} failed authentications in 10 minutes with keys that nobody has")
        }
        Rule::FailedAuthentication => format!("{count} failed authentications in 10 minutes with {subject}{said}"),
        Rule::BruteForce => format!("{count} failed authentications in 10 minutes from {subject}"),
        Rule::RateLimitBreaches => format!("{count} calls in 10 minutes with {subject} were refused by a limit{said}"),
        _ => format!("{count} errors in 10 minutes at {subject}{said}"),
    };
    Measure { tenant, subject, value: real(count), basis: count, summary }
}
