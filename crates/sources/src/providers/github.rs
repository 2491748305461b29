//! GitHub: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the body>`. It signs no time and not the delivery's id.

use super::{Algorithm, Check, Refusal, macs};

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let given = check.header("x-hub-signature-256")?.strip_prefix("sha256=").and_then(macs::unhex);
    check.by_mac(Algorithm::Sha256, given, &[&check.call.body])
}
