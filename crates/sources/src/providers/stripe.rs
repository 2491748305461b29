//! Stripe: `Stripe-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, with several `v1` while a secret is rolled. Entries of other
//! versions are passed over, `v0` above all.

use super::{Check, Refusal};

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let signature = check.header("stripe-signature")?;
    let tolerance = i64::try_from(check.tolerance().as_secs()).unwrap_or(i64::MAX);
    let mut refusal = Refusal::InvalidSignature;
    for secret in check.secrets {
        match web::signature::verify_legacy(secret, signature, &check.call.body, check.now.seconds(), tolerance) {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == "stale_timestamp" => refusal = Refusal::StaleTimestamp,
            Err(_) => {}
        }
    }
    Err(refusal)
}
