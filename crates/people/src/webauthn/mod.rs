//! What the specification of passkeys asks of a server (W3C Web Authentication Level 3, §7.1 and §7.2). Pure: bytes in, a verdict out; who
//! may ask, and what was asked, is for [`crate::ceremonies`] and [`crate::passkeys`].
//!
//! * `relying_party`: who we are to a browser. `client_data`: what the browser says that it signed for. `authenticator_data`: what the device
//!   says of itself. `public_key`: its key (COSE, RFC 9053). `attestation`: a new passkey. `assertion`: one that is used.
//!
//! We ask for no attestation and believe none: which make a device is decides nothing here. Everything is strict where a lax reading helps
//! nobody: trailing bytes, repeated members and unknown algorithms are refused. Why this is not a library: ADR 0022.

mod assertion;
mod attestation;
mod authenticator_data;
mod client_data;
mod public_key;
mod relying_party;

pub(crate) use assertion::{Assertion, Signed};
pub(crate) use attestation::{Attestation, NewCredential};
pub(crate) use public_key::ALGORITHMS;
pub use relying_party::RelyingParty;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why a ceremony is none: for the log, not for whoever attempts it. No text of the stranger is quoted.
pub(crate) type Fault = &'static str;

/// Longest member in base64url. The longest that a real browser sends is an attestation of a few kilobytes.
const LONGEST: usize = 32 * 1024;

/// The bytes of a member.
fn bytes(text: &str) -> Result<Vec<u8>, Fault> {
    if text.len() > LONGEST {
        return Err("a member is too long");
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "a member is no base64url")
}
