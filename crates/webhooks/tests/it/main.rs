//! Webhooks on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod delivery;
mod lifecycle;
mod planning;
mod routes;
mod subscriptions;
