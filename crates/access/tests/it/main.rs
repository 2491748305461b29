//! Access against real engines: the same bodies on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

mod authentication;
mod bed;
mod clients;
mod http_surface;
mod isolation;
mod keys;
mod rate_limits;
mod service_keys;
mod tenants;
