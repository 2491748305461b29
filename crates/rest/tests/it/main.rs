//! The REST face over real records, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bed;
mod bulk;
mod contractors;
mod docs;
mod generic;
mod insurance;
