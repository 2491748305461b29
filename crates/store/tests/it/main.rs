//! The store against real engines: the same bodies on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod bed;
mod changes;
mod idempotency;
mod isolation;
mod postgres_tls;
mod reads;
mod transactions;
