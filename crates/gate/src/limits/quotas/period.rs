//! From one refill to the next: months in UTC that begin on some day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::Timestamp;

/// A span of time, the end not included, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Period {
    /// The one that `now` lies in, where each begins on `day` of a month (of a shorter month, on its last day).
    pub(crate) fn at(now: Timestamp, day: u8) -> Self {
        let moment = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let today = moment.to_zoned(TimeZone::UTC).date();
        let this = refill(today.year(), today.month(), day);
        if today >= this {
            Self { start: millis(this), end: millis(neighbour(today, 1, day)) }
        } else {
            Self { start: millis(neighbour(today, -1, day)), end: millis(this) }
        }
    }

    /// Whether `now` lies in it.
    pub(crate) fn holds(self, now: i64) -> bool {
        (self.start..self.end).contains(&now)
    }
}

fn refill(year: i16, month: i8, day: u8) -> Date {
    let first = Date::new(year, month, 1).unwrap_or(Date::ZERO);
    let day = i8::try_from(day).unwrap_or(i8::MAX).clamp(1, first.days_in_month());
    Date::new(year, month, day).unwrap_or(first)
}

/// The refill of the month before or after that of `date`.
fn neighbour(date: Date, months: i16, day: u8) -> Date {
    let count = date.year() * 12 + i16::from(date.month()) - 1 + months;
    refill(count.div_euclid(12), i8::try_from(count.rem_euclid(12)).unwrap_or(0) + 1, day)
}

fn millis(date: Date) -> i64 {
    date.to_zoned(TimeZone::UTC).map_or(0, |at| at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(now: &str, day: u8) -> (String, String) {
        let period = Period::at(Timestamp::parse(now).unwrap(), day);
        (Timestamp::from_millis(period.start).to_string(), Timestamp::from_millis(period.end).to_string())
    }

    #[test]
    fn months_begin_on_their_day() {
        let pair = |start: &str, end: &str| (format!("{start}T00:00:00.000Z"), format!("{end}T00:00:00.000Z"));
        assert_eq!(shown("2026-03-01T12:00:00Z", 1), pair("2026-03-01", "2026-04-01"));
        assert_eq!(shown("2026-03-14T23:59:59.999Z", 15), pair("2026-02-15", "2026-03-15"));
        assert_eq!(shown("2026-03-15T00:00:00Z", 15), pair("2026-03-15", "2026-04-15"));
        assert_eq!(shown("2026-02-27T00:00:00Z", 31), pair("2026-01-31", "2026-02-28"));
        assert_eq!(shown("2026-02-28T00:00:00Z", 31), pair("2026-02-28", "2026-03-31"));
        assert_eq!(shown("2028-02-29T08:00:00Z", 30), pair("2028-02-29", "2028-03-30"));
        assert_eq!(shown("2026-12-31T08:00:00Z", 20), pair("2026-12-20", "2027-01-20"));
        assert_eq!(shown("2026-01-05T08:00:00Z", 20), pair("2025-12-20", "2026-01-20"));
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_period_and_periods_meet(ms in 0i64..4_000_000_000_000, day in 1u8..=31) {
            let period = Period::at(Timestamp::from_millis(ms), day);
            prop_assert!(period.holds(ms));
            prop_assert_eq!(Period::at(Timestamp::from_millis(period.end), day).start, period.end);
            prop_assert_eq!(Period::at(Timestamp::from_millis(period.end - 1), day), period);
        }
    }
}
