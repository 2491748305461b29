//! The authorization server against real engines: the same bodies on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

mod assertions;
mod authorize;
mod bed;
mod clients;
mod codes;
mod consents;
mod devices;
mod exchange;
mod introspection;
mod nodes;
mod refresh;
mod registrations;
mod requests;
mod signed_tokens;
