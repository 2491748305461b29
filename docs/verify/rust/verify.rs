//! Verifies a webhook. Crates: `hmac` 0.13, `sha2` 0.11, `base64` 0.23 (the standard library has neither HMAC nor base64).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Seconds.
const TOLERANCE: u64 = 300;

/// Whether one of `signatures` is ours and fresh. `body`: the bytes as they came; `now`: Unix seconds.
pub fn verify(secret: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8], now: u64) -> bool {
    let Some(at) = timestamp.parse::<u64>().ok().filter(|at| at.abs_diff(now) <= TOLERANCE) else { return false };
    let Ok(key) = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(body);
    // Several while a secret is rotated; entries of other versions are passed over. The comparison takes constant time.
    let given = signatures.split(' ').filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok());
    given.into_iter().any(|given| mac.clone().verify_slice(&given).is_ok())
}
