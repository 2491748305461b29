//! Records on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bed;
mod changes;
mod lifecycle;
mod lists;
mod records;
mod reindex;
