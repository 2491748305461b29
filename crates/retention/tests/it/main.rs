//! Letting go of data, on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod exports;
mod expunges;
mod lifetimes;
mod purges;
