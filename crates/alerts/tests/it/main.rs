//! Alerts on both engines, with a clock that the tests move.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod acts;
mod bed;
mod life;
mod measured;
mod noted;
mod operator;
mod rules;
