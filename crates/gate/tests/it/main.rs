//! The gate, through a router, on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod admission;
mod bed;
mod cors;
mod idempotency;
mod limits;
mod quotas;
mod shared;
mod strangers;
mod units;
mod verify;
