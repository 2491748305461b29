//! The tests of `connectors`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod driver;
mod hubspot;
mod manifest;
mod salesforce;
mod zoho;
