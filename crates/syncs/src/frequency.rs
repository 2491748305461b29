//! When a sync runs.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::cron::Wording;

/// As it is written: milliseconds, a cron expression, or a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = SyncFrequency)]
pub enum Frequency {
    /// Milliseconds between two runs, at least 1,000.
    Milliseconds(u64),
    /// `realtime`, `hourly`, `daily`, `manual`, or a cron expression.
    Text(String),
}

impl Default for Frequency {
    fn default() -> Self {
        Self::Text("manual".to_owned())
    }
}

/// What it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Changes at once, and a look at the vendor now and then.
    Realtime,
    /// So often.
    Every(Duration),
    /// By cron.
    Cron(String),
    /// When somebody asks.
    OnDemand,
}

const WORDING: Wording = Wording {
    pointer: "/frequency",
    help: "A frequency is a number of milliseconds, realtime, hourly, daily, manual, or a cron expression: 0 6 * * MON.",
};
/// Least time between two runs.
const LEAST_MS: u64 = 1000;

impl Frequency {
    /// Errors: 422 `validation_failed`, `invalid_cron`.
    pub(crate) fn schedule(&self) -> Result<Schedule> {
        let text = match self {
            Self::Milliseconds(ms) => return every(*ms),
            Self::Text(text) => text.trim(),
        };
        Ok(match text.to_ascii_lowercase().as_str() {
            "realtime" | "real_time" | "real-time" => Schedule::Realtime,
            "hourly" => Schedule::Every(Duration::from_hours(1)),
            "daily" => Schedule::Every(Duration::from_hours(24)),
            "manual" | "on_demand" | "on-demand" | "ondemand" => Schedule::OnDemand,
            digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                return every(digits.parse().map_err(|_| Error::field("/frequency", "is too large"))?);
            }
            _ => {
                next_by_cron(text, "UTC", Timestamp::from_millis(0))?;
                Schedule::Cron(text.to_owned())
            }
        })
    }
}

fn every(ms: u64) -> Result<Schedule> {
    if !(LEAST_MS..=366 * 86_400_000).contains(&ms) {
        return Err(Error::field("/frequency", "must be at least 1000 milliseconds and at most a year"));
    }
    Ok(Schedule::Every(Duration::from_millis(ms)))
}

impl Schedule {
    /// The first time after `now`. Errors: 422 `invalid_cron`; `validation_failed`, at `/timezone`.
    pub(crate) fn next(&self, zone: &str, poll: Duration, now: Timestamp) -> Result<Option<Timestamp>> {
        Ok(match self {
            Self::Realtime => Some(now.plus(poll)),
            Self::Every(period) => Some(now.plus(*period)),
            Self::Cron(text) => Some(next_by_cron(text, zone, now)?),
            Self::OnDemand => None,
        })
    }
}

/// The first time after `now`. Errors: 422 `invalid_cron`; `validation_failed`, at `/timezone`.
pub(crate) fn next_by_cron(cron: &str, zone: &str, now: Timestamp) -> Result<Timestamp> {
    store::cron::next(cron, zone, now, WORDING)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Result<Schedule> {
        Frequency::Text(text.to_owned()).schedule()
    }

    #[test]
    fn every_spelling_of_the_requirements_is_understood() {
        assert_eq!(of("real_time").unwrap(), Schedule::Realtime);
        assert_eq!(of("hourly").unwrap(), Schedule::Every(Duration::from_hours(1)));
        assert_eq!(of("60000").unwrap(), Schedule::Every(Duration::from_mins(1)));
        assert_eq!(Frequency::Milliseconds(900_000).schedule().unwrap(), Schedule::Every(Duration::from_mins(15)));
        assert_eq!(of("*/5 * * * *").unwrap(), Schedule::Cron("*/5 * * * *".into()));
        assert_eq!(of("manual").unwrap(), Schedule::OnDemand);
        assert_eq!(of("sometimes").unwrap_err().code(), "invalid_cron");
        assert_eq!(Frequency::Milliseconds(5).schedule().unwrap_err().code(), "validation_failed");
        let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let next = of("0 6 * * MON").unwrap().next("Europe/Berlin", Duration::ZERO, now).unwrap();
        assert_eq!(next.unwrap().to_string(), "2026-11-23T05:00:00.000Z");
    }

    proptest! {
        #[test]
        fn any_text_is_a_schedule_or_a_fault(text in "[0-9*/,L#W @a-z_-]{0,30}") {
            if let Ok(schedule) = of(&text) {
                let now = Timestamp::parse("2026-02-01T00:00:00Z").unwrap();
                let next = schedule.next("UTC", Duration::from_mins(5), now).unwrap();
                prop_assert!(next.is_none_or(|next| next > now));
            }
        }
    }
}
