//! Settings of the engine.

use std::time::Duration;

/// Settings of the engine. The defaults suit a server on two cores.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most attempts under way in all.
    pub max_in_flight_total: usize,
    /// Attempts at once that a destination begins with.
    pub start_concurrency: usize,
    /// Most attempts at once for one destination.
    pub max_concurrency: usize,
    /// Most deliveries of one destination in memory that wait for their attempt; the rest waits in the database.
    pub ready_per_destination: usize,
    /// Failures in a row after which a destination is left alone for a while.
    pub breaker_after: u32,
    /// First pause of a destination that was left alone.
    pub breaker_first: Duration,
    /// Longest pause; each failed probe doubles it up to here.
    pub breaker_longest: Duration,
    /// Most attempts at once at one host and port, whichever destinations they are for.
    pub max_per_host: usize,
    /// Bytes in memory for deliveries that come right from a publication, of all destinations; beyond it each has
    /// [`Self::ready_per_destination`] and the rest waits in the database.
    pub memory: usize,
    /// A destination that nothing has arrived at for so long is disabled with its next failure.
    pub disable_after: Duration,
    /// How often the node says that it is alive.
    pub heartbeat_every: Duration,
    /// How often everything is looked at, for work that nobody announced.
    pub sweep_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_in_flight_total: 512,
            start_concurrency: 16,
            max_concurrency: 64,
            ready_per_destination: 512,
            breaker_after: 10,
            breaker_first: Duration::from_secs(5),
            breaker_longest: Duration::from_secs(300),
            max_per_host: 256,
            memory: 32 << 20,
            disable_after: Duration::from_secs(5 * 86_400),
            heartbeat_every: store::HEARTBEAT_EVERY,
            sweep_every: Duration::from_secs(5),
        }
    }
}
