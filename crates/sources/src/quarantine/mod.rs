//! Calls that could not be verified: kept for a while so that a tenant can see why, and can take one in after all.
//!
//! Strangers write here, so everything is bounded: rows a minute (`bounds`), rows in all, bytes of each, and their age.

mod delete;
mod forget;
mod get;
mod keep;
mod list;
pub(crate) mod mask;
mod release;
pub(crate) mod sql;
mod view;

use std::time::Duration;

use kernel::{CallId, SourceId, Timestamp};
use serde_json::Value;

use crate::providers::Refusal;

pub use forget::forget;
pub use view::QuarantinedCall;

pub(crate) use delete::handle as delete;
pub(crate) use delete::handle_all as empty;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use release::handle as release;

/// Most calls kept of one source; the oldest go.
pub(crate) const MAX_CALLS: u64 = 100;
/// Most bytes kept of a body. A call whose body is longer cannot be released.
pub(crate) const MAX_KEPT_BODY: usize = 64 * 1024;
/// How long a call is kept.
pub(crate) const KEPT_FOR: Duration = Duration::from_hours(14 * 24);

/// A row of `quarantined_calls`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: CallId,
    pub(crate) source: SourceId,
    pub(crate) received_at: Timestamp,
    pub(crate) reason: Refusal,
    pub(crate) method: String,
    pub(crate) query: Option<String>,
    /// Names and values, secret ones masked.
    pub(crate) headers: Value,
    /// As much as is kept.
    pub(crate) body: Vec<u8>,
    /// How long it was.
    pub(crate) body_bytes: u64,
    pub(crate) remote: Option<String>,
}

impl Row {
    /// Whether the whole body was kept.
    pub(crate) fn is_whole(&self) -> bool {
        self.body_bytes == self.body.len() as u64
    }

    /// Whether what was kept is enough to make events of. A call without a body says everything in its query, of which the values are masked.
    pub(crate) fn is_releasable(&self) -> bool {
        self.is_whole() && !(self.body.is_empty() && self.query.is_some())
    }
}
