//! Tokens that only the holder of a key can use: DPoP (RFC 9449).
//!
//! * `proof`: one proof, checked against the request that it came with. Pure.
//! * `nonce`: the server's own numbers in proofs. Nothing is stored: they follow from a secret of the installation and the time, so every
//!   node knows every node's.
//! * `demand`: the three together, as the gate and the token endpoint ask.
//! * `replay`: proofs that were used, so that none is used twice.
//!
//! A proof is good for about a minute by its own time, or by a nonce for as long as the nonce is. A client whose clock is wrong is given a
//! nonce and goes on.

mod demand;
mod nonce;
mod proof;
mod replay;

use kernel::{Error, Timestamp};
use url::Url;

pub use demand::{Dpop, challenge};
pub use nonce::Nonces;
pub use proof::{Proof, access_token_hash, check};
pub use replay::Replays;

/// The field that carries a proof.
pub const PROOF_HEADER: &str = "dpop";
/// The field that carries a nonce.
pub const NONCE_HEADER: &str = "dpop-nonce";

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `invalid_dpop_proof`, and why.
    Invalid(&'static str),
    /// `use_dpop_nonce`: the client is to try again with the nonce of the answer.
    UseNonce,
}

impl Refusal {
    /// The code of RFC 9449 §12.2.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_dpop_proof",
            Self::UseNonce => "use_dpop_nonce",
        }
    }

    /// What is wrong and what to do.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Invalid(why) => why,
            Self::UseNonce => "Put the nonce of this answer's DPoP-Nonce field into the proof, and try again.",
        }
    }

    /// 401 with that code.
    pub fn error(self) -> Error {
        Error::unauthenticated(self.code(), self.detail())
    }
}

/// The request that a proof must be about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its address as clients know it; query and fragment do not matter.
    pub url: &'a Url,
    /// Its time.
    pub now: Timestamp,
    /// The access token that it shows, where it shows one.
    pub access_token: Option<&'a str>,
    /// Whether a proof without a nonce of ours is refused, however fresh it is.
    pub needs_nonce: bool,
}
