//! Tests of mappings: what is refused, what comes out either way, what stays the same there and back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod compile;
mod fields;
mod functions;
mod round_trips;
