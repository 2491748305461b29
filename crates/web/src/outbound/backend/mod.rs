//! Connections to the operator's own backends: what an upstream's endpoint is answered by.
//!
//! Another policy than for tenants' URLs: a backend's address comes from the operator's blueprint, so private addresses are allowed and
//! `http://` is. Nothing that a caller sends has a part in where a connection goes ([`BackendAddress`] is made once, at start), redirects
//! are not followed, and the egress proxy of deliveries is not used.
//!
//! HTTP/1.1 without a task for each connection: a connection is driven by whoever waits for its answer, in that task (`outbound::driven`), so a
//! call costs no hand-over between tasks and no waking; an idle one lies in a stack (`idle`) and is looked at when it is taken out.
//! HTTP/2 connections are shared and driven by a task of their own (`shared`).

mod address;
mod answer;
mod connect;
mod driven;
mod fault;
mod idle;
mod outgoing;
mod places;
mod shared;
mod target;
mod tunnel;

pub use address::BackendAddress;
pub use answer::Answer;
pub use connect::BackendProtocol;
pub use fault::{BackendError, BackendFault};
pub use outgoing::Outgoing;
pub use places::Holder;
pub use target::{Backend, BackendConfig, Pace};
pub use tunnel::{Bounds, Ends, Tunnel, asks_for_upgrade, tunnel};

/// Reads certificate authorities in PEM, for [`BackendConfig::extra_roots`]. The error says what is wrong.
pub fn authorities(pem: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    super::tls::authorities(pem)
}
