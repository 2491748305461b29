//! A tenant's calls in an hour, against the same hour of the past seven days: many more, or many fewer.
//!
//! This hour and the one before are looked at for more, so that an alert does not close with each hour; only the one before, which is over,
//! for fewer. A tenant that is younger than three days has no usual.

use kernel::id::TypedId as _;
use kernel::{Result, TenantId, Timestamp};
use usage::rollups::{Hours, unusual};

use super::MOST;
use super::judge::COLD;
use super::measure::{Measure, Measured, real};
use crate::{Alerts, Rule};

const DAY_MS: i64 = 86_400_000;
/// Days that are compared with, and the fewest that say anything.
const DAYS: i64 = 7;
const FEWEST: i64 = 3;

pub(super) const MORE: &str = "more_calls";
pub(super) const FEWER: &str = "fewer_calls";

pub(super) async fn measure(alerts: &Alerts, low: f64) -> Result<Measured> {
    let now = alerts.ambient.now();
    let least = alerts.store.read(crate::scope(), |tx| crate::rules::sql::least(tx, Rule::UnusualVolume)).await?;
    let factor = (low * COLD).max(1.0);
    let hours = alerts.store.logs().read(crate::scope(), move |tx| unusual(tx, now, factor, least, MOST)).await?;
    let rows = hours.len();
    Ok(Measured::of(hours.iter().flat_map(|one| of(one, now)).collect(), rows))
}

/// Days since the tenant was made, as its id says.
fn days_of(tenant: TenantId, now: Timestamp) -> i64 {
    let made = i64::try_from(tenant.uuid().as_u128() >> 80).unwrap_or(i64::MAX);
    (now.millis().saturating_sub(made)).div_euclid(DAY_MS).min(DAYS)
}

fn of(hours: &Hours, now: Timestamp) -> Vec<Measure> {
    let days = days_of(hours.tenant, now);
    if days < FEWEST {
        return Vec::new();
    }
    let mean = |past: u64| real(past) / real(days.unsigned_abs());
    let more = [(hours.now, hours.past_now, "this hour"), (hours.last, hours.past_last, "the hour before this one")]
        .map(|(calls, past, when)| (real(calls) / mean(past).max(1.0), calls, past, when));
    let (value, calls, past, when) = if more[0].0 >= more[1].0 { more[0] } else { more[1] };
    let summary = format!("{calls} calls in {when}, where the past {days} days had {:.0} on average", mean(past));
    let more = Measure { tenant: Some(hours.tenant), subject: MORE.to_owned(), value, basis: calls, summary };
    let usual = mean(hours.past_last);
    let summary = format!("{} calls in the hour before this one, where the past {days} days had {usual:.0} on average", hours.last);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of counts")]
    let basis = usual as u64;
    let value = usual / real(hours.last.max(1));
    let fewer = Measure { tenant: Some(hours.tenant), subject: FEWER.to_owned(), value, basis, summary };
    vec![more, fewer]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Ambient;

    use super::*;

    #[test]
    fn the_worse_of_two_hours_counts_and_a_new_tenant_has_no_usual() {
        let ambient = Ambient::system();
        let now = ambient.now();
        let hours = Hours { tenant: ambient.id(), now: 900, past_now: 700, last: 30, past_last: 2100 };
        assert!(of(&hours, now.plus(Duration::from_hours(60))).is_empty());
        let measured = of(&hours, now.plus(Duration::from_hours(24 * 30)));
        let short: Vec<_> = measured.iter().map(|one| (one.subject.as_str(), one.value, one.basis)).collect();
        assert_eq!(short, [(MORE, 9.0, 900), (FEWER, 10.0, 300)]);
    }

    #[test]
    fn what_never_was_is_compared_with_one_call() {
        let ambient = Ambient::system();
        let hours = Hours { tenant: ambient.id(), now: 0, past_now: 0, last: 5000, past_last: 0 };
        let measured = of(&hours, ambient.now().plus(Duration::from_hours(24 * 4)));
        assert_eq!((measured[0].value, measured[0].basis, measured[1].value), (5000.0, 5000, 0.0));
    }
}
