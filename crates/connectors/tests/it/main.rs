//! The tests of `connectors`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod built_in;
mod driver;
mod hubspot;
mod manifest;
mod pipedrive;
mod salesforce;
mod zoho;
