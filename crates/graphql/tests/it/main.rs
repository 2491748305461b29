//! GraphQL behind a real gate, on both engines.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::needless_pass_by_value, reason = "an answer is looked at once")]

mod bed;
mod limits;
mod mutations;
mod protocol;
mod queries;
mod schemas;
mod subscriptions;
