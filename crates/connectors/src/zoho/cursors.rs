//! Cursors and page tokens, as text that says everything: a cursor is `zo1:{ms}` (ask for what changed then or later, by Zoho's clock), a token
//! the JSON of a [`Place`].

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::driver::{Watermark, marks};

/// What a cursor begins with.
const MARK: &str = "zo1:";

/// Where a page begins, and what the pages before it have seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// A page of a list, by Zoho's token; how many records were seen so far, and the last one's id.
    List { mark: Watermark, total: Option<u64>, page_token: String, seen: u64, last: u64 },
    /// A page of a query in the order of ids, beyond the last one that was seen.
    Query { mark: Watermark, total: Option<u64>, last: u64 },
    /// A page of the deleted records.
    Deleted { mark: Watermark, page: u64 },
}

impl Place {
    pub(super) fn text(&self) -> String {
        marks::token(self)
    }

    /// Errors: [`Fault::Stale`] for a text that is none.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        marks::read_token(text)
    }
}

/// A cursor's text.
pub(super) fn cursor(from: Timestamp) -> String {
    marks::cursor(MARK, from)
}

/// Reads a cursor. Errors: [`Fault::Stale`] for a text that is none.
pub(super) fn since(text: &str) -> Result<Timestamp, Fault> {
    marks::read_cursor(MARK, text)
}

/// A time as Zoho reads it in headers and queries: whole seconds, the second before where it is between two, since Zoho's own times have no
/// finer part.
pub(super) fn time(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate(19);
    text.push_str("+00:00");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_times_are_read_as_they_were_written() {
        let mark = Watermark::default();
        for place in [
            Place::List { mark, total: Some(7), page_token: "c8=\"".to_owned(), seen: 200, last: 5_725_767_000_000_000_001 },
            Place::Query { mark, total: None, last: u64::MAX },
            Place::Deleted { mark, page: 2 },
        ] {
            assert_eq!(Place::parse(&place.text()), Ok(place));
        }
        let at = Timestamp::from_millis(1_769_860_800_999);
        assert_eq!((since(&cursor(at)), time(at).as_str()), (Ok(at), "2026-01-31T12:00:00+00:00"));
        for text in ["", "zo1:", "zo1:x", "hs1:5", "{}"] {
            assert!(since(text).is_err() && Place::parse(text).is_err(), "{text}");
        }
    }
}
