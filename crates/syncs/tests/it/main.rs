//! Synchronisation against the vendors' doubles.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bed;
mod carrier;
mod crm;
mod dry;
mod load;
mod simulation;
mod stopping;
mod switching;
mod syncing;
