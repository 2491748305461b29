//! Of which time.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};

use crate::days::DAY_MS;
use crate::rollups::{Grain, Period};

/// When nothing is said.
const USUAL: Duration = Duration::from_hours(30 * 24);
/// The longest time by day, and by hour.
const LONGEST: [(Grain, u64); 2] = [(Grain::Day, 400), (Grain::Hour, 93)];
/// Up to here hours are shown, unless days are asked for.
const BY_HOUR: Duration = Duration::from_hours(48);

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) from: Option<&'a str>,
    pub(crate) to: Option<&'a str>,
    pub(crate) period: Option<&'a str>,
    pub(crate) grain: Option<Grain>,
}

/// Whole hours (or days, if it is divided into days that are named) around what was asked for, and how it is divided.
///
/// Error: 422 `validation_failed`.
pub(crate) fn resolve(asked: &Asked<'_>, now: Timestamp) -> Result<(Period, Grain)> {
    // The hour that begins just now is part of it.
    let to = asked.to.map_or_else(|| Ok(Timestamp::from_millis(now.millis() + 1)), |text| moment(text, "/dateTo", true))?;
    let from = match (asked.from, asked.period) {
        (Some(_), Some(_)) => return Err(Error::field("/period", "send dateFrom or period, not both")),
        (Some(text), None) => moment(text, "/dateFrom", false)?,
        (None, Some(text)) => to.minus(length(text)?),
        (None, None) => to.minus(USUAL),
    };
    if from >= to {
        return Err(Error::field("/dateTo", "must be later than dateFrom"));
    }
    let length = to.since(from);
    let grain = asked.grain.unwrap_or(if length <= BY_HOUR { Grain::Hour } else { Grain::Day });
    let most = LONGEST.iter().find(|(known, _)| *known == grain).map_or(0, |(_, days)| *days);
    if length > Duration::from_hours(24 * (most + 1)) {
        return Err(Error::field("/dateFrom", format!("by {grain}, at most {most} days are shown at once")));
    }
    Ok((Period::around(from, to), grain))
}

/// A time, or a day: its beginning, or, where it is an end, the beginning of the next.
fn moment(text: &str, pointer: &str, is_end: bool) -> Result<Timestamp> {
    let fault = || Error::field(pointer, "must be a day (2026-03-01) or a time (RFC 3339)");
    if text.len() == 10 {
        let day = Timestamp::parse(&format!("{text}T00:00:00Z")).map_err(|_| fault())?;
        return Ok(if is_end { Timestamp::from_millis(day.millis() + DAY_MS) } else { day });
    }
    // In a query, `+` is a space.
    Timestamp::parse(&text.replace(' ', "+")).map_err(|_| fault())
}

/// `24h`, `7d`.
fn length(text: &str) -> Result<Duration> {
    let fault = || Error::field("/period", "must be hours or days, such as 24h or 30d");
    let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => (days, 24),
        (_, Some(hours)) => (hours, 1),
        _ => return Err(fault()),
    };
    let number: u64 = number.parse().ok().filter(|number| (1..=24 * 400).contains(number)).ok_or_else(fault)?;
    Ok(Duration::from_hours(number * hours))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn days_are_whole_and_hours_around_times() {
        let now = at("2026-03-15T10:30:00Z");
        let asked = Asked { from: Some("2026-03-01"), to: Some("2026-03-02"), ..Asked::default() };
        let (period, grain) = resolve(&asked, now).unwrap();
        assert_eq!((period, grain), (Period { from: at("2026-03-01T00:00:00Z"), to: at("2026-03-03T00:00:00Z") }, Grain::Hour));
        let (period, grain) = resolve(&Asked { period: Some("7d"), ..Asked::default() }, now).unwrap();
        assert_eq!((period, grain), (Period { from: at("2026-03-08T10:00:00Z"), to: at("2026-03-15T11:00:00Z") }, Grain::Day));
        let (period, _) = resolve(&Asked { from: Some("2026-03-01T02:00:00+02:00"), ..Asked::default() }, now).unwrap();
        assert_eq!(period.from, at("2026-03-01T00:00:00Z"));
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        let now = at("2026-03-15T10:30:00Z");
        let asked = |from, to, period, grain| Asked { from, to, period, grain };
        for (bad, pointer) in [
            (asked(Some("soon"), None, None, None), "/dateFrom"),
            (asked(Some("2026-03-16"), None, None, None), "/dateTo"),
            (asked(None, Some("2026-13-01"), None, None), "/dateTo"),
            (asked(Some("2026-03-01"), None, Some("7d"), None), "/period"),
            (asked(None, None, Some("7w"), None), "/period"),
            (asked(None, None, Some("0d"), None), "/period"),
            (asked(Some("2024-01-01"), None, None, None), "/dateFrom"),
            (asked(Some("2025-10-01"), None, None, Some(Grain::Hour)), "/dateFrom"),
        ] {
            let error = resolve(&bad, now).unwrap_err();
            assert_eq!(error.fields()[0].pointer, pointer, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_in_a_period_or_a_documented_error(from in ".{0,30}", to in ".{0,30}", length in ".{0,8}") {
            let now = at("2026-03-15T10:30:00Z");
            for asked in [
                Asked { from: Some(&from), to: Some(&to), ..Asked::default() },
                Asked { to: Some(&to), period: Some(&length), ..Asked::default() },
            ] {
                match resolve(&asked, now) {
                    Ok((period, _)) => prop_assert!(period.from < period.to),
                    Err(error) => prop_assert_eq!(error.code(), "validation_failed"),
                }
            }
        }
    }
}
