//! Cron expressions in time zones. Over a change of the clocks the library decides: what falls into the gap comes right after it.

use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use kernel::{Error, Result, Timestamp};

/// Longest expression and zone, in characters.
const MAX_TEXT: usize = 200;

/// How a feature speaks of an expression that is none.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    /// The member that it stands in: `/cron`.
    pub pointer: &'static str,
    /// What it should be.
    pub help: &'static str,
}

/// The first time after `now`; a sixth part in front, for seconds, may be there. Errors: 422 `invalid_cron`; `validation_failed`, at
/// `/timezone`.
pub fn next(cron: &str, zone: &str, now: Timestamp, wording: Wording) -> Result<Timestamp> {
    let refuse = |why: &str| Error::invalid("invalid_cron", wording.help).at(wording.pointer, why);
    if cron.chars().count() > MAX_TEXT {
        return Err(refuse("is longer than 200 characters"));
    }
    let zone = self::zone(zone)?;
    let cron = CronParser::builder().seconds(Seconds::Optional).build().parse(cron).map_err(|error| refuse(&error.to_string()))?;
    let from = jiff::Timestamp::from_millisecond(now.millis()).map_err(Error::internal)?.to_zoned(zone);
    let next = cron.find_next_occurrence(&from, false).map_err(|_| refuse("never comes"))?;
    Ok(Timestamp::from_millis(next.timestamp().as_millisecond()))
}

fn zone(name: &str) -> Result<TimeZone> {
    let fault = || Error::field("/timezone", "must be the name of a time zone, such as UTC or Europe/Berlin");
    if name.len() > MAX_TEXT || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+')) {
        return Err(fault());
    }
    TimeZone::get(name).map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next(cron: &str, zone: &str, now: Timestamp) -> Result<Timestamp> {
        super::next(cron, zone, now, Wording { pointer: "/cron", help: "Five parts." })
    }

    fn at(cron: &str, zone: &str, now: &str) -> String {
        next(cron, zone, Timestamp::parse(now).unwrap()).unwrap().to_string()
    }

    #[test]
    fn comes_when_the_zone_says() {
        assert_eq!(at("0 6 * * MON", "UTC", "2026-11-22T10:00:00Z"), "2026-11-23T06:00:00.000Z");
        assert_eq!(at("0 6 * * MON", "Europe/Berlin", "2026-11-22T10:00:00Z"), "2026-11-23T05:00:00.000Z");
        assert_eq!(at("30 9 L * *", "UTC", "2026-02-01T00:00:00Z"), "2026-02-28T09:30:00.000Z");
        assert_eq!(at("*/10 * * * * *", "UTC", "2026-02-01T00:00:00Z"), "2026-02-01T00:00:10.000Z");
        assert_eq!(at("@daily", "UTC", "2026-02-01T00:00:00Z"), "2026-02-02T00:00:00.000Z");
    }

    #[test]
    fn comes_once_a_day_over_a_change_of_the_clocks() {
        // 2026-03-29 02:30 does not exist in Berlin, 2026-10-25 02:30 exists twice.
        for (from, until) in [("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), ("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")] {
            let (mut now, until) = (Timestamp::parse(from).unwrap(), Timestamp::parse(until).unwrap());
            let mut times = 0;
            while now < until {
                let then = next("30 2 * * *", "Europe/Berlin", now).unwrap();
                assert!(then > now);
                (now, times) = (then, times + 1);
            }
            assert_eq!(times, 3, "two days, and one beyond: {from}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let now = Timestamp::parse("2026-02-01T00:00:00Z").unwrap();
        for (cron, zone, code, place) in [
            ("", "UTC", "invalid_cron", "/cron"),
            ("61 * * * *", "UTC", "invalid_cron", "/cron"),
            ("0 0 31 2 *", "UTC", "invalid_cron", "/cron"),
            ("@reboot", "UTC", "invalid_cron", "/cron"),
            ("0 6 * * *", "Mars/Olympus", "validation_failed", "/timezone"),
            ("0 6 * * *", "../etc/passwd", "validation_failed", "/timezone"),
        ] {
            let error = next(cron, zone, now).unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), (code, place), "{cron} {zone}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_a_fault(cron in "[0-9*/,L#W @a-zA-Z-]{0,40}") {
            let now = Timestamp::parse("2026-02-01T00:00:00Z").unwrap();
            match next(&cron, "UTC", now) {
                Ok(then) => prop_assert!(then > now),
                Err(error) => prop_assert_eq!(error.code(), "invalid_cron"),
            }
        }
    }
}
