//! How long a receiver makes us wait (RFC 9110 §10.2.3).

use std::time::Duration;

use kernel::Timestamp;

/// Shortest wait between two attempts that a receiver can ask for.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long the receiver wants us to wait, 1 s to 24 h; none when it cannot be read.
pub(super) fn read(value: &[u8], now: Timestamp) -> Option<Duration> {
    web::retry_after(value, now).map(|wait| wait.max(SHORTEST))
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
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(read("Mon, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(read("Sat, 01 Jan 9999 00:00:00 GMT"), Some(86_400));
        assert_eq!(read("Mon, 06 Nov 1994 08:50:37 GMT"), Some(60));
        for bad in ["", "soon", "-5", "1.5", "Sun, 99 Nov", "Sun, 99 Nov 9999 00:00:00 GMT"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
