//! SendGrid's event webhook: ECDSA over P-256 and SHA-256 of timestamp + body. The "secret" is the public key that SendGrid shows: the base64
//! of its SPKI DER, without armour.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use kernel::{Error, Result};

use super::{Check, Refusal, macs, refusal};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
pub(super) const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// What stands before the point in the DER of every uncompressed P-256 key (RFC 5480): algorithm, curve, and a bit string's head.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: 4 and two coordinates.
const POINT: usize = 65;

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let signature = macs::unbase64(check.header(SIGNATURE)?).ok_or(Refusal::InvalidSignature)?;
    let timestamp = check.header(TIMESTAMP)?;
    check.is_fresh(timestamp)?;
    let message = [timestamp.as_bytes(), &check.call.body].concat();
    let verifies = |key: &&str| {
        let Some(point) = point(key) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&message, &signature).is_ok()
    };
    refusal::unless(check.secrets.iter().any(verifies))
}

fn point(key: &str) -> Option<Vec<u8>> {
    let der = macs::unbase64(key)?;
    let point = der.strip_prefix(&HEAD)?;
    (point.len() == POINT && point[0] == 4).then(|| point.to_vec())
}

pub(super) fn check_key(key: &str) -> Result<()> {
    point(key)
        .map(drop)
        .ok_or_else(|| Error::field("/secret", "must be the verification key that SendGrid shows: base64, a P-256 public key"))
}
