//! Shopify: `X-Shopify-Hmac-SHA256: <base64 HMAC-SHA256 of the body>`, keyed by the app's client secret.

use super::{Algorithm, Check, Refusal, macs};

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let given = macs::unbase64(check.header("x-shopify-hmac-sha256")?);
    check.by_mac(Algorithm::Sha256, given, &[&check.call.body])
}
