//! Signatures of webhooks: Standard Webhooks (<https://www.standardwebhooks.com>), symmetric (`v1`) and asymmetric (`v1a`), and the legacy
//! `t=…,v1=…` form.
//!
//! One secret serves `v1` and the legacy form: Standard Webhooks key the HMAC by the base64-decoded bytes, the legacy form by the secret's
//! text as shown.

mod asymmetric;
mod ecdsa;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Ambient, Error, Result, Secret};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub use asymmetric::{PUBLIC_PREFIX, PublicKey, SigningKey, sign_asymmetric, verify_asymmetric};
pub use ecdsa::EcdsaPublicKey;

/// The prefix of a secret's text.
pub const SECRET_PREFIX: &str = "whsec_";
/// How far a timestamp may be from the receiver's clock, in seconds, unless it says otherwise.
pub const DEFAULT_TOLERANCE: i64 = 300;
/// Random bytes in a secret of our making.
const OWN_LENGTH: usize = 32;

/// The key of the one that `name` names, among all that follow from one secret of the installation: HMAC-SHA-256 of the name. The same on every
/// node and for ever, so nothing of it is stored.
pub fn derive(installation: &Secret<Vec<u8>>, name: &str) -> [u8; 32] {
    mac(installation.reveal(), &[name.as_bytes()])
}

/// A webhook's secret: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Clone, Debug)]
pub struct WebhookSecret {
    text: Secret<String>,
    key: Secret<Vec<u8>>,
}

impl WebhookSecret {
    /// A new one of 32 random bytes.
    pub fn generate(ambient: &Ambient) -> Self {
        let key = ambient.bytes::<OWN_LENGTH>().to_vec();
        Self { text: Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(&key))), key: Secret::new(key) }
    }

    /// Reads a secret's text. Error: 422 `invalid_webhook_secret`.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = || Error::invalid("invalid_webhook_secret", "A webhook secret is whsec_ and the base64 of 24 to 64 bytes.");
        let key = STANDARD.decode(text.strip_prefix(SECRET_PREFIX).ok_or_else(fault)?).map_err(|_| fault())?;
        if !(24..=64).contains(&key.len()) {
            return Err(fault());
        }
        Ok(Self { text: Secret::new(text.to_owned()), key: Secret::new(key) })
    }

    /// Its text, shown once and sealed for storage.
    pub fn text(&self) -> &Secret<String> {
        &self.text
    }

    /// A name by which it can be spoken of: 16 hexadecimal digits from its hash, which tell nothing of at least 24 random bytes.
    pub fn kid(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"webhook secret id:");
        hash.update(self.key.reveal());
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The value of `webhook-signature`: `v1,<base64>` for each secret, separated by spaces. During a rotation both the new and the old one sign.
/// `timestamp` is in seconds since the epoch, as in `webhook-timestamp`.
pub fn sign_standard(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut out = String::with_capacity(secrets.len() * 48);
    for secret in secrets {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str("v1,");
        STANDARD.encode_string(standard_mac(secret, id, timestamp, body), &mut out);
    }
    out
}

/// The legacy signature: `t=<seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, keyed by `secret` as it is shown, prefix included.
pub fn sign_legacy(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let mut out = format!("t={timestamp},v1=");
    for byte in legacy_mac(secret, timestamp, body) {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).expect("four bits are one hexadecimal digit"));
        }
    }
    out
}

/// Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` of a delivery. Entries of other versions are passed over.
///
/// Errors: 401 `stale_timestamp` when it is more than `tolerance` seconds from `now`, 401 `invalid_signature`.
pub fn verify_standard(
    secrets: &[WebhookSecret],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: i64,
    tolerance: i64,
) -> Result<()> {
    let at = fresh(timestamp, now, tolerance)?;
    let expected: Vec<[u8; 32]> = secrets.iter().map(|secret| standard_mac(secret, id, at, body)).collect();
    let given = signatures.split(' ').filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok());
    any_equal(given, &expected)
}

/// Checks a legacy signature. Several `v1` entries may stand in it.
///
/// Errors: as [`verify_standard`].
pub fn verify_legacy(secret: &str, signature: &str, body: &[u8], now: i64, tolerance: i64) -> Result<()> {
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let timestamp = parts().find(|(name, _)| *name == "t").map(|(_, value)| value).ok_or_else(forged)?;
    let at = fresh(timestamp, now, tolerance)?;
    let given = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| unhex(value));
    any_equal(given, &[legacy_mac(secret, at, body)])
}

fn standard_mac(secret: &WebhookSecret, id: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
    mac(secret.key.reveal(), &[id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body])
}

fn legacy_mac(secret: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
    mac(secret.as_bytes(), &[timestamp.to_string().as_bytes(), b".", body])
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn fresh(timestamp: &str, now: i64, tolerance: i64) -> Result<i64> {
    // Only what a signer writes: a sign or leading zeros would let one signature go with several headers.
    let at = timestamp.parse::<i64>().ok().filter(|at| at.to_string() == timestamp).ok_or_else(forged)?;
    if now.abs_diff(at) > tolerance.unsigned_abs() {
        return Err(Error::unauthenticated("stale_timestamp", "The signature's timestamp is too far from the present."));
    }
    Ok(at)
}

/// Compares all with all, in a time that does not depend on where they differ.
fn any_equal(given: impl Iterator<Item = Vec<u8>>, expected: &[[u8; 32]]) -> Result<()> {
    let mut equal = subtle::Choice::from(0);
    for candidate in given {
        for own in expected {
            equal |= candidate.ct_eq(own.as_slice());
        }
    }
    if bool::from(equal) { Ok(()) } else { Err(forged()) }
}

fn forged() -> Error {
    Error::unauthenticated("invalid_signature", "The signature does not match.")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    /// From the published libraries' tests.
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> WebhookSecret {
        WebhookSecret::parse(SECRET).unwrap()
    }

    #[test]
    fn agrees_with_the_published_vector() {
        assert_eq!(sign_standard(&[secret()], ID, AT, BODY), SIGNED);
        verify_standard(&[secret()], ID, &AT.to_string(), SIGNED, BODY, AT + 300, DEFAULT_TOLERANCE).unwrap();
    }

    #[test]
    fn during_a_rotation_either_secret_verifies() {
        let new = WebhookSecret::generate(&Ambient::system());
        let signed = sign_standard(&[new.clone(), secret()], ID, AT, BODY);
        assert_eq!(signed.split(' ').count(), 2);
        for held in [new, secret()] {
            verify_standard(&[held], ID, &AT.to_string(), &signed, BODY, AT, 0).unwrap();
        }
    }

    #[test]
    fn refuses_what_was_touched() {
        let code = |id: &str, at: &str, signed: &str, body: &[u8], now| {
            verify_standard(&[secret()], id, at, signed, body, now, 300).unwrap_err().code()
        };
        let at = AT.to_string();
        assert_eq!(code("msg_other", &at, SIGNED, BODY, AT), "invalid_signature");
        assert_eq!(code(ID, &at, SIGNED, b"{}", AT), "invalid_signature");
        assert_eq!(code(ID, &(AT + 1).to_string(), SIGNED, BODY, AT), "invalid_signature");
        assert_eq!(code(ID, &format!("+{at}"), SIGNED, BODY, AT), "invalid_signature");
        assert_eq!(code(ID, &at, &SIGNED.replace("v1,", "v2,"), BODY, AT), "invalid_signature");
        assert_eq!(code(ID, &at, "", BODY, AT), "invalid_signature");
        assert_eq!(code(ID, &at, SIGNED, BODY, AT + 301), "stale_timestamp");
        assert_eq!(code(ID, &at, SIGNED, BODY, AT - 301), "stale_timestamp");
    }

    #[test]
    fn the_legacy_form_is_keyed_by_the_text() {
        let signed = sign_legacy(SECRET, AT, BODY);
        // Computed with Python's hmac module.
        assert_eq!(signed, "t=1614265330,v1=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
        verify_legacy(SECRET, &signed, BODY, AT, 300).unwrap();
        let both = format!("t={AT},v1=00,{}", signed.split_once(',').unwrap().1);
        verify_legacy(SECRET, &both, BODY, AT, 300).unwrap();
        assert_eq!(verify_legacy("whsec_x", &signed, BODY, AT, 300).unwrap_err().code(), "invalid_signature");
        assert_eq!(verify_legacy(SECRET, &signed, BODY, AT + 301, 300).unwrap_err().code(), "stale_timestamp");
    }

    #[test]
    fn secrets_have_bounds_and_do_not_print() {
        for bad in
            ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", &format!("whsec_{}", STANDARD.encode([0; 65]))]
        {
            assert_eq!(WebhookSecret::parse(bad).unwrap_err().code(), "invalid_webhook_secret", "{bad}");
        }
        let made = WebhookSecret::generate(&Ambient::system());
        assert!(WebhookSecret::parse(made.text().reveal()).is_ok());
        assert!(!format!("{made:?}").contains(made.text().reveal().as_str()));
        assert_eq!((made.kid().len(), made.kid() == WebhookSecret::parse(made.text().reveal()).unwrap().kid()), (16, true));
        assert_ne!(made.kid(), secret().kid());
    }

    proptest! {
        #[test]
        fn never_panics_on_any_signature(text in ".{0,120}", at in ".{0,30}") {
            prop_assert!(verify_standard(&[secret()], ID, &at, &text, BODY, i64::MIN, i64::MIN).is_err());
            prop_assert!(verify_legacy(SECRET, &text, BODY, AT, 300).is_err());
            let entry = format!("t={AT},v1={text}");
            prop_assert!(verify_legacy(SECRET, &entry, BODY, AT, 300).is_err());
        }
    }
}
