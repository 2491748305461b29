//! Access against real engines: the same bodies on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

mod authentication;
mod bed;
mod clients;
mod http_surface;
mod imports;
mod isolation;
mod keys;
mod leaks;
mod rate_limits;
mod reminders;
mod rotation;
mod secret_scanning;
mod self_service;
mod service_keys;
mod tenants;
mod timing;
mod token_format;
