//! Razorpay: `X-Razorpay-Signature: <hex HMAC-SHA256 of the body>`. After a change of the secret, retries are still signed by the old one.

use super::{Algorithm, Check, Refusal, macs};

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let given = macs::unhex(check.header("x-razorpay-signature")?);
    check.by_mac(Algorithm::Sha256, given, &[&check.call.body])
}
