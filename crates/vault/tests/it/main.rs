//! The token vault on both engines, against the vendors' doubles and a real authorization server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apps;
mod bed;
mod connecting;
mod ending;
mod hostile;
mod race;
mod renewing;
mod secrets;
mod storing;
