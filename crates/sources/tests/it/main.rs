//! Sources on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod calls;
mod lists;
mod providers;
mod quarantine;
mod resource;
mod signing;
