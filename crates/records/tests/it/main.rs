//! Records on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bed;
mod belonging;
mod bulk;
mod changes;
mod guarded;
mod lifecycle;
mod lists;
mod metrics;
mod objections;
mod plans;
mod queries;
mod records;
mod reindex;
