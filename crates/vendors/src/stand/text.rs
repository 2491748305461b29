//! Small forms of text that several vendors have.

use kernel::Timestamp;

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// `2026-01-31T12:00:00.000Z`.
pub fn rfc3339(ms: i64) -> String {
    Timestamp::from_millis(ms).to_string()
}

/// `2026-01-31T12:00:00` and a suffix: whole seconds in UTC, as several vendors write them.
pub fn seconds(ms: i64, suffix: &str) -> String {
    let mut text = rfc3339(ms);
    text.truncate(19);
    text.push_str(suffix);
    text
}

/// Milliseconds of an RFC 3339 time; an offset without a colon (`+0000`) is read too.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim().replacen(' ', "+", 1);
    let plain = match text.len().checked_sub(5).map(|at| text.split_at_checked(at)) {
        Some(Some((head, tail))) if head.contains('T') && matches!(tail.as_bytes()[0], b'+' | b'-') && !tail.contains(':') => {
            format!("{head}{}:{}", &tail[..3], &tail[3..])
        }
        _ => text,
    };
    Timestamp::parse(&plain).ok().map(Timestamp::millis)
}

/// The form of HTTP dates (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = rfc3339(ms);
    let weekday = usize::try_from(ms.div_euclid(86_400_000).rem_euclid(7)).unwrap_or(0);
    let month: usize = text[5..7].parse().unwrap_or(1);
    format!("{}, {} {} {} {} GMT", DAYS[weekday], &text[8..10], MONTHS[month - 1], &text[..4], &text[11..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_in_the_vendors_forms() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(seconds(784_111_777_123, ".000+0000"), "1994-11-06T08:49:37.000+0000");
        for text in ["1994-11-06T08:49:37Z", "1994-11-06T08:49:37.000+0000", "1994-11-06T10:49:37+02:00", "1994-11-06T08:49:37 00:00"] {
            assert_eq!(parse_time(text), Some(784_111_777_000), "{text}");
        }
        assert_eq!(parse_time("1994-11-06"), None);
    }
}
