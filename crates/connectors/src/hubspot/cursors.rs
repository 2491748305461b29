//! Cursors and page tokens, as text that says everything: a cursor is `hs1:{ms}` (ask for what changed then or later, by HubSpot's clock), a
//! token the JSON of a [`Place`].

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::driver::{Watermark, marks};

/// What a cursor begins with.
const MARK: &str = "hs1:";

/// Where a page begins, and what the pages before it have seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// A page of the list, with HubSpot's own token.
    List { mark: Watermark, total: Option<u64>, after: String },
    /// A page of a search in the order of ids, beyond the last one that was seen.
    Search { mark: Watermark, total: Option<u64>, last: u64 },
    /// A page of the archived records.
    Bin { mark: Watermark, after: String },
    /// A page of the records that others were merged into.
    Merges { mark: Watermark, last: u64 },
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_read_as_they_were_written() {
        let mark = Watermark::default();
        for place in [
            Place::List { mark, total: Some(7), after: "NTI1Cg==:x\"".to_owned() },
            Place::Search { mark, total: None, last: u64::MAX },
            Place::Bin { mark, after: String::new() },
            Place::Merges { mark, last: 0 },
        ] {
            assert_eq!(Place::parse(&place.text()), Ok(place));
        }
        let at = Timestamp::from_millis(1_800_000_000_000);
        assert_eq!(since(&cursor(at)), Ok(at));
        for text in ["", "1", "hs1:", "hs1:x", "hs2:1"] {
            assert!(matches!(since(text), Err(Fault::Stale { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_stale(text in "\\PC{0,40}") {
            prop_assert!(matches!(Place::parse(&text), Err(Fault::Stale { .. })), "{}", text);
            prop_assert!(matches!(since(&text), Err(Fault::Stale { .. })) || text.starts_with("hs1:"), "{}", text);
        }
    }
}
