//! The event log on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batch;
mod bed;
mod emit;
mod lists;
mod publish;
mod readers;
mod routes;
mod schemas;
