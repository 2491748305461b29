//! The proxy against real backends on loopback.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests speak to loopback by raw connections, which is what they test")]

mod attacks;
mod backend;
mod bed;
mod bodies;
mod cancellation;
mod checked;
mod faults;
mod health;
mod identity;
mod pooling;
mod protocols;
mod raw;
mod websocket;
