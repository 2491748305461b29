//! The real things that tests need, on loopback and on free ports, and gone afterwards.
//!
//! * [`postgres`], [`redis`]: one throw-away server for the run, one fresh database for each test.
//! * [`nats`], [`rabbitmq`], [`moto`] (SQS and S3): brokers and services, one for each test; [`relay`]: a way to them that can be cut.
//! * [`engines!`]: one test body that runs on SQLite and on PostgreSQL.
//! * [`server`]: the real `tradewind serve` as a process that can be killed and restarted.
//! * [`http`]: a small client for tests. [`receiver`]: a scriptable HTTP receiver that records what it gets, with TLS if a test gives it
//!   a certificate of [`tls`]. [`connect_proxy`]: an HTTP proxy.
//! * [`wait`]: waiting for a condition up to a deadline, in place of sleeping.
//!
//! `cargo xtask test` starts one PostgreSQL and one Redis for the whole run and names them in [`postgres::VARIABLE`] and [`redis::VARIABLE`].
//! Without these variables a test process starts its own when it first asks. Every server is a child that ends as soon as its starter
//! is gone, however that happened ([`guarded`]).
//!
//! This crate is for tests: its functions panic with a message where a test could not go on.

#![allow(
    clippy::disallowed_methods,
    reason = "a harness reads its environment, polls processes and connects to loopback; nothing here ships"
)]

pub mod guarded;
pub mod mail;
pub mod moto;
pub mod nats;
pub mod port;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;
pub mod tools;
pub mod wait;

#[cfg(feature = "harness")]
pub mod connect_proxy;
#[cfg(feature = "harness")]
pub mod engine;
#[cfg(feature = "harness")]
pub mod http;
#[cfg(feature = "harness")]
pub mod receiver;
#[cfg(feature = "harness")]
pub mod relay;
#[cfg(feature = "harness")]
pub mod server;
#[cfg(feature = "harness")]
pub mod tls;

#[cfg(feature = "harness")]
pub use engine::{Bed, Engine};

/// `stem` and sixteen random hexadecimal digits: a name that no other test uses.
pub fn unique(stem: &str) -> String {
    format!("{stem}_{:016x}", getrandom::u64().expect("the operating system's random generator answers"))
}
