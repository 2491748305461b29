//! Versions of a blueprint over a real store, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bed;
mod rollback;
mod settling;
