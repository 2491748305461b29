//! How much is published in batches, by the comparisons that do so.

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Events of one run.
    pub events: u64,
    /// Callers that publish batches, or writers of a reference.
    pub callers: usize,
    /// Events in a batch, or in a group of a reference.
    pub batch: u64,
    /// Runs of each kind, alternating.
    pub rounds: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { events: 40_000, callers: 8, batch: 100, rounds: 3 }
    }
}
