//! The gate, through a router, on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod admission;
mod bed;
mod idempotency;
mod limits;
