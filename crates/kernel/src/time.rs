//! Time as a value. Storage keeps milliseconds since the Unix epoch; bodies show RFC 3339 in UTC with three decimals.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// The years 0001 to 9999, which RFC 3339 can write.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since the epoch, clamped to the years 1 to 9999.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(*RANGE_MS.start(), *RANGE_MS.end()))
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Earlier by `by`.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` until here; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339: the years 0001 to 9999, to their last millisecond.
    ///
    /// Error: 422 `invalid_time`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Ok(parsed) = text.parse::<jiff::Timestamp>() {
            let ms = parsed.as_millisecond();
            return if RANGE_MS.contains(&ms) { Ok(Self(ms)) } else { Err(out_of_range()) };
        }
        if let Some(ms) = near_the_bounds(text) {
            return if RANGE_MS.contains(&ms) { Ok(Self(ms)) } else { Err(out_of_range()) };
        }
        // A year of more digits is no RFC 3339 at all, and the general text would not say what is wrong with it.
        let year = text.trim_start_matches(['+', '-']).bytes().take_while(u8::is_ascii_digit).count();
        if year > 4 && text.contains('T') {
            return Err(out_of_range());
        }
        Err(Error::invalid("invalid_time", "A time is written as RFC 3339 with an offset, for example 2026-01-31T12:00:00Z"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).expect("digits and ASCII marks"))
    }
}

impl Timestamp {
    /// Without the formatting machinery, since every delivery and every answer writes times.
    fn text(self) -> [u8; 24] {
        let (days, ms) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (year, 0..4),
            (month, 5..7),
            (day, 8..10),
            (ms / 3_600_000, 11..13),
            (ms / 60_000 % 60, 14..16),
            (ms / 1000 % 60, 17..19),
            (ms % 1000, 20..23),
        ];
        for (mut value, place) in parts {
            for digit in text[place].iter_mut().rev() {
                *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
                value /= 10;
            }
        }
        text
    }
}

fn out_of_range() -> Error {
    Error::invalid("invalid_time", "A time lies in the years 0001 to 9999 (UTC), the range of RFC 3339.")
}

/// The milliseconds of a well-formed time that jiff has no timestamp for: its range ends some hours before the year 9999 does.
fn near_the_bounds(text: &str) -> Option<i64> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
    let whole = pieces.date().to_datetime(time).duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    i64::try_from(whole.as_millis()).ok()?.checked_sub(i64::from(offset.seconds()) * 1000)
}

/// Days since the epoch to (year, month, day), proleptic Gregorian: Howard Hinnant's `civil_from_days`.
/// Here instead of in a library because every delivery and every answer formats a time.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Borrowed("Timestamp")
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. The only place in the workspace that asks it.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that may ask the machine for the time")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved: for tests and the simulator.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.millis()))
    }

    /// Moves forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4), Ordering::SeqCst);
    }

    /// Jumps, also backwards.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_709_164_799_999).to_string(), "2024-02-28T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(1_709_164_800_000).to_string(), "2024-02-29T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_last_hours_of_the_range_are_read_and_what_is_beyond_is_named() {
        for (text, ms) in [
            ("9999-12-31T23:59:59.999Z", *RANGE_MS.end()),
            ("9999-12-31T23:59:59-00:00", RANGE_MS.end() - 999),
            ("0001-01-01T00:00:00Z", *RANGE_MS.start()),
            ("0001-01-01T01:00:00+01:00", *RANGE_MS.start()),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().millis(), ms, "{text}");
        }
        for text in [
            "9999-12-31T23:59:59-01:00",
            "10000-01-01T00:00:00Z",
            "+010000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
        ] {
            assert!(Timestamp::parse(text).unwrap_err().detail().contains("0001 to 9999"), "{text}");
        }
        for text in ["", "9999-12-31T23:59:59", "2026-02-30T00:00:00Z", "20260131", "T"] {
            assert!(Timestamp::parse(text).unwrap_err().detail().contains("RFC 3339 with an offset"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parses_what_it_writes(ms in RANGE_MS) {
            let at = Timestamp::from_millis(ms);
            prop_assert_eq!(Timestamp::parse(&at.to_string()).unwrap(), at);
        }
    }
}
