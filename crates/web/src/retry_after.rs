//! Times in answers of those whom we call: `Retry-After` (RFC 9110 §10.2.3), which is seconds or a date, and dates.

use std::time::Duration;

use kernel::Timestamp;

/// Longest wait that is believed.
const LONGEST: Duration = Duration::from_hours(24);

/// How long the other side wants us to wait, at most a day; a date that has passed is no wait. None: it cannot be read.
pub fn retry_after(value: &[u8], now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        http_date(text).map(|at| at.since(now))?
    };
    Some(wait.min(LONGEST))
}

/// An HTTP date (RFC 9110 §5.6.7). None: it is none. The day of the week is not compared: whoever errs there still means the date. The end of the year 9999, which some send for
/// "never", is beyond what times can hold here; a year less is as far.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let read = |text: &str| parser.parse_timestamp(text).ok();
    let at = read(text).or_else(|| read(&text.replace(" 9999 ", " 9998 ")))?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now = Timestamp::parse("1994-11-06T08:49:37Z").unwrap();
        let read = |text: &str| retry_after(text.as_bytes(), now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read(" 0 "), Some(0));
        assert_eq!(read("99999999999999999999999"), Some(86_400));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:44 GMT"), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(read("Mon, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(read("Sat, 01 Jan 9999 00:00:00 GMT"), Some(86_400));
        assert_eq!(read("Mon, 06 Nov 1994 08:50:37 GMT"), Some(60));
        for bad in ["", "soon", "-5", "1.5", "Sun, 99 Nov", "Sun, 99 Nov 9999 00:00:00 GMT"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
