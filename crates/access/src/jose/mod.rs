//! Signed JSON web tokens of others and our own: the only place that knows the library.
//!
//! * `algorithm`: what may sign. Asymmetric algorithms only: `none` and HMACs are not among them, so a public key can never be taken for a
//!   shared secret (RFC 8725 §3.1).
//! * `jwk`: a public key (RFC 7517) and its thumbprint (RFC 7638). One with private members is refused.
//! * `jws`: reading a token of others (RFC 7515, compact form) and checking its signature. What claims mean is for the caller.
//! * `signer`: a key of ours.

mod algorithm;
mod jwk;
mod jws;
mod signer;

pub use algorithm::Algorithm;
pub use jwk::{Jwk, JwkSet};
pub use jws::{Jws, MAX_TOKEN};
pub use signer::Signer;

/// Why a key or a token is none: for people who write clients. No text of the stranger is quoted.
pub type Fault = &'static str;

/// A NumericDate (RFC 7519 §2) as whole seconds: a time with a fraction counts as the second that it is in; out of range saturates.
#[allow(clippy::cast_possible_truncation, reason = "the conversion saturates, and the clamp is narrower")]
pub fn whole_seconds(date: f64) -> i64 {
    (date as i64).clamp(-(1 << 53), 1 << 53)
}
