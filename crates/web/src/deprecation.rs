//! What an endpoint on its way out says with every answer: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link` to what comes after it
//! (RFC 8288, RFC 5829).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use kernel::Timestamp;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The fields, written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since (or from) when it is deprecated.
    pub since: Timestamp,
    /// When it may be gone.
    pub sunset: Option<Timestamp>,
    /// What comes after it: a path or an address.
    pub successor: Option<String>,
    fields: [HeaderValue; 3],
}

impl Deprecation {
    /// None if `successor` cannot stand in a header field.
    pub fn new(since: Timestamp, sunset: Option<Timestamp>, successor: Option<String>) -> Option<Self> {
        let value = |text: Option<String>| HeaderValue::try_from(text.unwrap_or_default()).ok();
        let fields = [
            value(Some(format!("@{}", since.seconds())))?,
            value(sunset.map(http_date))?,
            value(successor.as_ref().map(|successor| format!("<{successor}>; rel=\"successor-version\"")))?,
        ];
        Some(Self { since, sunset, successor, fields })
    }

    /// Adds the fields to an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in [DEPRECATION, SUNSET, header::LINK].into_iter().zip(&self.fields) {
            if !value.is_empty() {
                // An answer may have links of its own.
                headers.append(name, value.clone());
            }
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // The first of January 1970 was a Thursday.
    let weekday = usize::try_from(at.seconds().div_euclid(86_400).rem_euclid(7)).unwrap_or(0);
    let written = at.to_string();
    let month = written.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let part = |range: std::ops::Range<usize>| written.get(range).unwrap_or_default().to_owned();
    format!("{}, {} {} {} {} GMT", DAYS[weekday], part(8..10), MONTHS[(month - 1) % 12], part(0..4), part(11..19))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(at("1994-11-06T08:49:37Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(at("2024-02-29T23:59:59Z")), "Thu, 29 Feb 2024 23:59:59 GMT");
        assert_eq!(http_date(at("1970-01-01T00:00:00Z")), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn the_fields_are_those_of_the_rfcs() {
        let whole = Deprecation::new(at("2026-01-31T00:00:00Z"), Some(at("2026-06-30T00:00:00Z")), Some("/api/v2/leads".into()));
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, HeaderValue::from_static("</docs>; rel=\"help\""));
        whole.unwrap().write(&mut headers);
        assert_eq!(headers["deprecation"], "@1769817600");
        assert_eq!(headers["sunset"], "Tue, 30 Jun 2026 00:00:00 GMT");
        let links: Vec<_> = headers.get_all(header::LINK).iter().collect();
        assert_eq!(links, ["</docs>; rel=\"help\"", "</api/v2/leads>; rel=\"successor-version\""]);
        let mut few = HeaderMap::new();
        Deprecation::new(at("2026-01-31T00:00:00Z"), None, None).unwrap().write(&mut few);
        assert_eq!(few.len(), 1);
        assert!(Deprecation::new(at("2026-01-31T00:00:00Z"), None, Some("/a\nb".into())).is_none());
    }
}
