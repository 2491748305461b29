//! `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date.

use std::time::Duration;

use kernel::Timestamp;

/// Longest wait that is honoured.
const LONGEST: Duration = Duration::from_hours(24);

/// How long the receiver wants us to wait, 1 s to 24 h; none when it cannot be read.
pub(super) fn read(value: &[u8], now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Timestamp::from_millis(at.as_millisecond()).since(now)
    };
    Some(wait.clamp(Duration::from_secs(1), LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = Timestamp::parse("1994-11-06T08:49:37Z").unwrap();
        let read = |text: &str| read(text.as_bytes(), now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("0"), Some(1));
        assert_eq!(read("99999999999999999999999"), Some(86_400));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(1));
        for bad in ["", "soon", "-5", "1.5", "Sun, 99 Nov"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
