//! Cursors and page tokens: texts that say everything, so that a run goes on from them on any node.

use std::fmt::Write as _;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::kinds::Kind;
use crate::Fault;

/// Reads a cursor: a time.
///
/// Errors: [`Fault::Stale`].
pub(super) fn cursor(text: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).map_err(|_| Fault::Stale { message: "the cursor is not one of this connector's".to_owned() })
}

/// A row's place in the order of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// `SystemModstamp`.
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    /// Its id.
    pub(super) id: String,
}

/// What the next page needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum PageToken {
    /// The rest of a query's result.
    Rest {
        /// `nextRecordsUrl`. Salesforce forgets it after two days, or sooner when there are many.
        next: String,
        /// The last row that was read: from there a new query goes on.
        last: Place,
        /// What the scan will end with.
        cursor: Timestamp,
        /// How many rows there were in all when it began.
        total: u64,
        /// Of which query ([`mark`]).
        of: String,
    },
    /// A bulk job's results.
    Job {
        /// Its id.
        job: String,
        /// Results are read with the version that the job was made with.
        version: String,
        /// What the cells of each wanted field are.
        kinds: Vec<Kind>,
        /// Where the next part begins; `None`: at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locator: Option<String>,
        /// What the scan will end with.
        cursor: Timestamp,
        /// How many rows there were in all when it began.
        total: u64,
        /// Of which query ([`mark`]).
        of: String,
    },
    /// A bulk job was refused: by pages from the beginning.
    Plain,
}

impl PageToken {
    /// Its text.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and times can be written")
    }

    /// Reads it.
    ///
    /// Errors: [`Fault::Stale`].
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let stale = || Fault::Stale { message: "the page token is not one of this connector's".to_owned() };
        let token: Self = serde_json::from_str(text).map_err(|_| stale())?;
        // It becomes part of an address: nothing but the vendor's own paths.
        let is_sound = match &token {
            Self::Rest { next, .. } => next.starts_with("/services/data/"),
            Self::Job { job, .. } => job.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            Self::Plain => true,
        };
        if is_sound { Ok(token) } else { Err(stale()) }
    }
}

/// What tells a query from another: rows of one would lack fields of the other, and a field that is lacking looks like one that was emptied.
pub(super) fn mark(query: &str) -> String {
    let digest = Sha256::digest(query.as_bytes());
    digest[..6].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the next page of deletions needs to know: the spans that are not yet read, each from and to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SpanToken {
    /// From here.
    pub(super) from: Timestamp,
    /// To here.
    pub(super) to: Timestamp,
}

impl SpanToken {
    /// Its text.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("times can be written")
    }

    /// Reads it.
    ///
    /// Errors: [`Fault::Stale`].
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|_| Fault::Stale { message: "the token is not one of this connector's".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_survives_its_text_and_strangers_are_stale() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let last = Place { at, id: "00Q5g0000000001EAA".into() };
        let rest = PageToken::Rest { next: "/services/data/v62.0/query/01g-2000".into(), last, cursor: at, total: 5, of: mark("x") };
        let kinds = vec![Kind::Text, Kind::Flag];
        let job = PageToken::Job { job: "750A".into(), version: "v62.0".into(), kinds, locator: None, cursor: at, total: 5, of: mark("x") };
        for token in [rest.clone(), job, PageToken::Plain] {
            assert_eq!(PageToken::read(&token.write()), Ok(token));
        }
        let foreign = rest.write().replace("/services/data/", "https://evil.example/");
        for text in [
            "",
            "{}",
            "null",
            foreign.as_str(),
            r#"{"kind":"job","job":"../x","version":"v62.0","kinds":[],"cursor":"2027-01-01T00:00:00Z","total":1,"of":"x"}"#,
        ] {
            assert!(matches!(PageToken::read(text), Err(Fault::Stale { .. })), "{text}");
        }
        assert!(matches!(cursor("yesterday"), Err(Fault::Stale { .. })));
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_stale(text in "\\PC{0,60}") {
            let is_sound = PageToken::read(&text).map_or_else(|fault| fault.code() == "vendor_cursor_stale", |_| true);
            prop_assert!(is_sound);
            let _ = SpanToken::read(&text);
            let _ = cursor(&text);
        }
    }
}
