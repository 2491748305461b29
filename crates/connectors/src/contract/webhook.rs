//! What a vendor's webhook says. It is a hint to read a record again, never the truth about it: hints come late, twice and out of order.

use http::{HeaderMap, Method};
use kernel::{Secret, Timestamp};

/// A call that came in.
#[derive(Clone, Copy, Debug)]
pub struct InboundCall<'a> {
    /// The method.
    pub method: &'a Method,
    /// The address as the vendor called it: with our public name, path and query.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// Now.
    pub now: Timestamp,
    /// What may have signed it: during a rotation two.
    pub secrets: &'a [Secret<String>],
}

/// What a verified call says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What to read again.
    pub hints: Vec<Hint>,
    /// What the vendor wants to be answered with; `None`: an empty 200.
    pub answer: Option<(String, Vec<u8>)>,
}

/// A record that is worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The vendor's account (HubSpot's portal, Salesforce's organisation), where one address serves many.
    pub account: Option<String>,
    /// The vendor's object.
    pub object: String,
    /// The vendor's id.
    pub id: String,
    /// What happened.
    pub kind: HintKind,
    /// When, as the vendor says.
    pub at: Option<Timestamp>,
}

/// What happened to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HintKind {
    /// It was made or changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// It was merged into the record with this id.
    Merged(String),
}

/// What must be done so that a vendor calls us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPlan {
    /// The vendor's id of what was set up, to take it down again.
    pub id: String,
    /// When it ends unless it is renewed.
    pub expires_at: Option<Timestamp>,
}
