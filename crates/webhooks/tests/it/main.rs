//! Webhooks on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod delivery;
mod ledger;
mod lifecycle;
mod operational;
mod planning;
mod replays;
mod routes;
mod signatures;
mod simulation;
mod subscriptions;
mod transforms;
