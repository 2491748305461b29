//! Reading many.

use kernel::Timestamp;
use serde_json::Value;

use super::RemoteRecord;

/// Which records are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// All.
    Full,
    /// What changed since the cursor that an earlier page ended with. The connector looks back a little further than it says, so that what
    /// the vendor shows late is not lost; a record may therefore come again.
    Since(String),
}

/// What a page is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PageAsk<'a> {
    /// The vendor's object.
    pub object: &'a str,
    /// Which records.
    pub span: Span,
    /// The vendor's names of the fields that are wanted.
    pub fields: &'a [String],
    /// What else must hold: an object of field and value (`{"LeadSource": "Web"}`), where the vendor can filter.
    pub filter: Option<&'a Value>,
    /// The token of the page before; `None` for the first.
    pub token: Option<&'a str>,
}

/// A part of the records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// In the vendor's order.
    pub records: Vec<RemoteRecord>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
    /// With the last page (and with others where that is safe): since when the next incremental run has to ask.
    pub cursor: Option<String>,
    /// How many there are in all, where the vendor says so.
    pub total: Option<u64>,
}

/// What is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The vendor's id.
    pub id: String,
    /// When.
    pub at: Option<Timestamp>,
    /// Where it lives on, if it was merged.
    pub merged_into: Option<String>,
}

/// A part of what was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletedPage {
    /// Which.
    pub deletions: Vec<Deletion>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// With the last page: since when to ask the next time.
    pub cursor: Option<String>,
}
