//! Attempts counted by destination and hour: how many, how many arrived, how long they took.
//!
//! The counts are made in the transaction that writes the attempts to the log, from rows that were new there, so they are exact: an attempt
//! that is logged is counted once, whatever crashed in between. Test deliveries are not counted, nor is what a transform cancelled: nothing was
//! sent, so it neither arrived nor failed. Reading them scans no log.

mod add;
mod read;

pub(crate) use add::{OVERLAP, log};
pub use read::{Rollup, Share, below, by_hour};

/// How long attempts took, in milliseconds.
pub type Histogram = kernel::Histogram<kernel::histogram::Milliseconds>;

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
