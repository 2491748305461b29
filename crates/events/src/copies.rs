//! Copies of what events say that stand elsewhere: calls that are kept apart, records. Who forgets a subject looks there too.

use kernel::{EventId, Result, TenantId};
use serde_json::Value;
use store::Tx;

/// What is looked for, and where the look goes on.
pub struct Look<'a> {
    /// After this row; empty: from the beginning.
    pub after: &'a str,
    /// Rows in one look.
    pub limit: u32,
    /// Whether what is found only counts.
    pub dry_run: bool,
    /// The ordering key of what is looked for, if it is that.
    pub key: Option<&'a str>,
    /// The event that is looked for, if it is one.
    pub event: Option<&'a EventId>,
    /// Whether a payload is the subject's.
    pub is_wanted: &'a dyn Fn(&Value) -> bool,
    /// Whether a text that cannot be read as a payload speaks of the subject.
    pub is_mentioned: &'a dyn Fn(&[u8]) -> bool,
}

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Rows that were looked at.
    pub examined: u64,
    /// Rows that were found, and are gone unless they only count.
    pub found: u64,
    /// The last row; none: there are no more.
    pub last: Option<String>,
}

/// A feature's look at its own rows, inside a transaction.
pub type Forget = fn(&mut Tx<'_>, TenantId, &Look<'_>) -> Result<Looked>;
