//! `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use kernel::Timestamp;

/// Longest wait that is believed.
const LONGEST: Duration = Duration::from_hours(24);
/// What "at once" is read as: a date that has passed by the time it arrives.
const SHORTEST: Duration = Duration::from_millis(200);

/// How long the vendor wants us to wait, at most a day; `None`: it says nothing that can be read.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        // The day of the week is not compared: whoever errs there still means the date.
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        let at = parser.parse_timestamp(text).ok()?;
        Timestamp::from_millis(at.as_millisecond()).since(now)
    };
    Some(wait.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = Timestamp::parse("1994-11-06T08:49:37Z").unwrap();
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            retry_after(&headers, now).map(|wait| wait.as_millis())
        };
        assert_eq!(read("120"), Some(120_000));
        assert_eq!(read(" 0 "), Some(200));
        assert_eq!(read("99999999999999999999999"), Some(86_400_000));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:44 GMT"), Some(7000));
        assert_eq!(read("Mon, 06 Nov 1994 08:50:37 GMT"), Some(60_000));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(200));
        for bad in ["", "soon", "-5", "1.5"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
