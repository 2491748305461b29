//! Times as Salesforce writes them: `2027-01-15T08:00:00.000+0000` in rows, `…Z` in CSV, an HTTP date in `Date`.

use http::HeaderMap;
use http::header::DATE;
use kernel::Timestamp;

/// Reads a time of a row, a cell or a feed. `None`: it is none.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    // An offset without a colon is no RFC 3339. The form of rows is turned without an allocation: a load reads millions.
    if let (28, Some(plain)) = (text.len(), text.strip_suffix("+0000")) {
        let mut form = [b'Z'; 24];
        form[..23].copy_from_slice(plain.as_bytes());
        return crate::times::parse(std::str::from_utf8(&form).ok()?);
    }
    match text.strip_suffix("+0000") {
        Some(plain) => crate::times::parse(&format!("{plain}Z")),
        None => crate::times::parse(text),
    }
}

/// As rows have it, so that a value from CSV is the same text as one from JSON.
pub(super) fn as_in_rows(text: &str) -> String {
    parse(text).map_or_else(|| text.to_owned(), |at| at.to_string().replace('Z', "+0000"))
}

/// When the vendor answered, by its own clock.
pub(super) fn answered(headers: &HeaderMap) -> Option<Timestamp> {
    web::http_date(headers.get(DATE)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_read() {
        let at = Timestamp::parse("2027-01-15T08:00:00Z").unwrap();
        for text in ["2027-01-15T08:00:00.000+0000", "2027-01-15T08:00:00.000Z", "2027-01-15T08:00:00Z", "2027-01-15T10:00:00+02:00"] {
            assert_eq!(parse(text), Some(at), "{text}");
            assert_eq!(as_in_rows(text), "2027-01-15T08:00:00.000+0000", "{text}");
        }
        assert_eq!((parse("2027-01-15"), as_in_rows("soon")), (None, "soon".to_owned()));
        let headers = HeaderMap::from_iter([(DATE, http::HeaderValue::from_static("Fri, 15 Jan 2027 08:00:00 GMT"))]);
        assert_eq!(answered(&headers), Some(at));
        assert_eq!(answered(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_is_not(text in "\\PC{0,40}|[0-9:T+Z. -]{0,30}") {
            let _ = parse(&text);
        }
    }
}
