//! The request log and its counts against real engines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bed;
mod metering;
mod reports;
mod request_logs;
mod retention;
