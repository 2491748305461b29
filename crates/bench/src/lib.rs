//! Measures the real `tradewind` binary from outside, and proves what it promises.
//!
//! * [`receiver`]: a counting webhook receiver with failure injection; [`ledger`]: what was accepted, what arrived, how often, how late.
//! * [`wire`], [`load`]: a raw HTTP/1.1 client; a closed-loop generator (as fast as the answers come) and an open-loop one
//!   (fixed rate, latency counted from the moment at which a request was due, so that a stall is not hidden).
//! * [`server`], [`setup`]: the server as a child process, prepared through its public API only.
//! * [`bare`], [`post`]: the references, each in a process of its own: a bare axum route and a bare hyper client.
//! * [`measure`]: the comparisons; [`prove`]: `kill -9` and the dead receiver; [`report`]: tables and result files.
//!
//! Invariants: every run is bounded in count and in time; nothing but 127.0.0.1 is ever spoken to; every child process ends with the
//! run that started it. Generator, receiver and server share one machine, so absolute numbers are noise and ratios of one run count.

pub mod bare;
pub mod clock;
pub mod histogram;
pub mod ledger;
pub mod load;
pub mod machine;
pub mod measure;
pub mod nginx;
pub mod oidc_provider;
pub mod post;
pub mod postgraphile;
pub mod process;
pub mod progress;
pub mod prove;
pub mod receiver;
pub mod report;
pub mod server;
pub mod setup;
pub mod traffic;
pub mod wire;
