//! Days and moments in the forms in which vendors write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};
use serde_json::Value;

/// A day, or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Day(Date),
    At(Timestamp),
}

impl Moment {
    /// Reads `2026-11-22`, RFC 3339 with any offset (with a colon or without one; none: UTC) and milliseconds since 1970 (`seconds`: seconds),
    /// as a number or as its digits.
    pub(crate) fn read(value: &Value, seconds: bool) -> Option<Self> {
        let number = |number: i64| {
            let at = if seconds { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) };
            at.ok().map(Self::At)
        };
        match value {
            Value::Number(found) => number(found.as_i64()?),
            Value::String(text) => {
                let text = text.trim();
                match text.parse::<i64>() {
                    // Four digits are a year and eight a compact date, which nobody means as milliseconds.
                    Ok(found) if text.len() > 8 => number(found),
                    Ok(_) => None,
                    Err(_) => Self::read_text(text),
                }
            }
            _ => None,
        }
    }

    fn read_text(text: &str) -> Option<Self> {
        if text.len() == 10 {
            return text.parse::<Date>().ok().map(Self::Day);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::At(at));
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"] {
            if let Ok(at) = Timestamp::strptime(format, text) {
                return Some(Self::At(at));
            }
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| Self::At(zoned.timestamp()))
    }

    /// The day, in UTC.
    pub(crate) fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::At(at) => at.to_zoned(TimeZone::UTC).date(),
        }
    }

    /// The moment; of a day its midnight in UTC.
    pub(crate) fn at(self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
            Self::At(at) => Some(at),
        }
    }
}

/// `2026-11-22T18:00:00.000Z`.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// `2026-11-22T18:00:00.000+0000`.
pub(crate) fn offset_form(at: Timestamp) -> Option<String> {
    strtime::format("%Y-%m-%dT%H:%M:%S.%3f%z", &at.to_zoned(TimeZone::UTC)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_moment_in_every_form() {
        let at: Timestamp = "2026-11-22T18:00:00.5Z".parse().unwrap();
        for value in [
            json!("2026-11-22T18:00:00.500Z"),
            json!("2026-11-22T20:00:00.500+02:00"),
            json!("2026-11-22T18:00:00.500+0000"),
            json!("2026-11-22T18:00:00.5"),
            json!("2026-11-22 18:00:00.5"),
            json!(at.as_millisecond()),
            json!(at.as_millisecond().to_string()),
        ] {
            assert_eq!(Moment::read(&value, false), Some(Moment::At(at)), "{value}");
        }
        assert_eq!(rfc3339(at), "2026-11-22T18:00:00.500Z");
        assert_eq!(offset_form(at).as_deref(), Some("2026-11-22T18:00:00.500+0000"));
        assert_eq!(Moment::read(&json!("2026-11-22"), false).map(|moment| moment.day().to_string()).as_deref(), Some("2026-11-22"));
        for value in [json!("2026"), json!("tomorrow"), json!("2026-02-30"), json!(true), json!("20261122")] {
            assert_eq!(Moment::read(&value, false), None, "{value}");
        }
    }
}
