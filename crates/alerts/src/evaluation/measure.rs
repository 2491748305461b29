//! What a rule measured of a subject.

use kernel::TenantId;

use super::MOST;

/// One subject.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measure {
    /// Whose; none: the operator's.
    pub(super) tenant: Option<TenantId>,
    pub(super) subject: String,
    /// In the rule's unit.
    pub(super) value: f64,
    /// Of how much that is the measure: calls, attempts.
    pub(super) basis: u64,
    /// In a sentence, for people.
    pub(super) summary: String,
}

/// All that a rule measured.
pub(super) struct Measured {
    pub(super) all: Vec<Measure>,
    /// Whether nothing was left out: what is not among them is well.
    pub(super) is_complete: bool,
}

impl Measured {
    /// `rows`: how many were read, of at most [`MOST`].
    pub(super) fn of(all: Vec<Measure>, rows: usize) -> Self {
        Self { all, is_complete: rows < MOST as usize }
    }
}

/// Counts are far below 2^52.
#[allow(clippy::cast_precision_loss, reason = "a count of calls or failures is far below 2^52")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
