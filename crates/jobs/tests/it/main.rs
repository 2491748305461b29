//! Jobs on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod chaos;
mod hosts;
mod lanes;
mod leases;
mod queue;
mod records;
mod routes;
mod schedules;
mod webhooks;
