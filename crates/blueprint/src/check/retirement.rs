//! Endpoints on their way out: since when, until when, and what comes after them.

use super::events::is_day;
use super::report::Report;
use crate::file::form;
use crate::model::Retirement;

/// Longest address of a successor.
const MAX_SUCCESSOR: usize = 500;

pub(super) fn check(place: &str, endpoint: &form::Endpoint, report: &mut Report) -> Option<Retirement> {
    let Some(deprecated_at) = endpoint.deprecated_at.clone() else {
        for (name, given) in [("sunset_at", endpoint.sunset_at.is_some()), ("successor", endpoint.successor.is_some())] {
            report.expect(!given, format!("{place}.{name}"), "belongs to deprecated_at, the day since which the endpoint is deprecated");
        }
        return None;
    };
    let day = "must be a day such as 2026-01-31";
    report.expect(is_day(&deprecated_at), format!("{place}.deprecated_at"), day);
    if let Some(sunset) = &endpoint.sunset_at {
        report.expect(is_day(sunset), format!("{place}.sunset_at"), day);
        report.expect(*sunset >= deprecated_at, format!("{place}.sunset_at"), "must not be before deprecated_at");
    }
    if let Some(successor) = &endpoint.successor {
        report.expect(is_address(successor), format!("{place}.successor"), "must be a path such as /api/v2/leads, or an https:// address");
    }
    Some(Retirement { deprecated_at, sunset_at: endpoint.sunset_at.clone(), successor: endpoint.successor.clone() })
}

/// What can stand between the angle brackets of a `Link` field (RFC 8288).
fn is_address(text: &str) -> bool {
    let begins = text.starts_with("https://") && text.len() > 8 || text.starts_with('/') && !text.starts_with("//");
    begins && text.len() <= MAX_SUCCESSOR && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'\\' | b'`'))
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn successors_are_paths_or_https() {
        for good in ["/api/v2/leads", "/api/v2/leads/{id}", "https://docs.example/v2"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "api/v2", "//evil.example", "http://docs.example", "https://", "/a>; rel=x", "/a b", "/ä"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
