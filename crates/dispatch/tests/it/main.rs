//! The delivery engine on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod crash;
mod destinations;
mod flow;
mod http;
mod nodes;
mod retries;
mod views;
