//! How long a vendor makes us wait (RFC 9110 §10.2.3).

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use kernel::Timestamp;

/// What "at once" is read as: a date that has passed by the time it arrives.
const SHORTEST: Duration = Duration::from_millis(200);

/// How long the vendor wants us to wait, at most a day; `None`: it says nothing that can be read.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    web::retry_after(headers.get(RETRY_AFTER)?.as_bytes(), now).map(|wait| wait.max(SHORTEST))
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
