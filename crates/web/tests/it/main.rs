//! Tests of the HTTP plumbing: the router and its extractors in memory, the outbound client against local servers.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod explain;
mod inbound;
mod openapi;
mod outbound;
mod pool;
mod proxy;
mod tls;
mod verdict;
