//! Stateful doubles of the vendors that connectors talk to, and the receiver of the demo. A development crate: `tradewind` uses it only
//! under its default feature `demo`.
//!
//! * [`receiver`]: what a partner's webhook endpoint should look like: it verifies before it believes.
//!
//! Invariants: a double listens on loopback only, keeps a bounded amount, and never talks to anything outside the machine.

pub mod receiver;
