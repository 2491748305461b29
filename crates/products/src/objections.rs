//! What features say about a change, from what they store.

use blueprint::Blueprint;
use kernel::Result;
use serde::Serialize;
use store::Tx;

/// Why live data and a changed blueprint cannot go together, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objection {
    /// Stable, for programs: `resource_in_use`.
    pub code: &'static str,
    /// Where in the blueprint: `resources["lead"]`.
    pub place: String,
    /// What contradicts the change.
    pub reason: String,
    /// What to do: in the data, or in the blueprint.
    pub way_out: String,
}

impl std::fmt::Display for Objection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}. Way out: {}", self.place, self.reason, self.way_out)
    }
}

/// A feature's say in a change from the first blueprint to the second. It only reads, in the system's scope, and may take as long as looking at
/// all that it stores takes: it runs at start, at a reload and when somebody asks, never for a request.
pub type Objector = fn(&mut Tx<'_>, &Blueprint, &Blueprint) -> Result<Vec<Objection>>;
