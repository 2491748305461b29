//! The delivery engine on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod crash;
mod destinations;
mod flow;
mod hostile_receivers;
mod hosts;
mod http;
mod ledger;
mod nodes;
mod ordered;
mod presenting;
mod retries;
mod rollups;
mod signing;
mod slips;
mod transforms;
mod unsent;
mod views;
