//! ECDSA over P-256 with SHA-256 (FIPS 186-5): verification only, of signatures that others make.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Error, Result};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// What stands before the point in the DER of every uncompressed P-256 key (RFC 5480): algorithm, curve, and a bit string's head.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: 4 and two coordinates.
const POINT: usize = 65;

/// A public key over P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcdsaPublicKey([u8; POINT]);

impl EcdsaPublicKey {
    /// Reads PEM (`-----BEGIN PUBLIC KEY-----`, RFC 7468). Error: 422 `invalid_public_key`.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let fault = || Error::invalid("invalid_public_key", "This is no PEM of an uncompressed P-256 public key.");
        let body = pem.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or_else(fault)?;
        let plain: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(plain).map_err(|_| fault())?;
        let point = der.strip_prefix(&HEAD).and_then(|point| <[u8; POINT]>::try_from(point).ok()).ok_or_else(fault)?;
        if point[0] == 4 { Ok(Self(point)) } else { Err(fault()) }
    }

    /// Whether `signature` (ASN.1 DER, in base64) is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0).verify(message, &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    use proptest::prelude::*;

    fn pem(pair: &EcdsaKeyPair) -> String {
        let der = [HEAD.as_slice(), pair.public_key().as_ref()].concat();
        let text = STANDARD.encode(der);
        format!("{BEGIN}\n{}\n{}\n{END}\n", &text[..64], &text[64..])
    }

    #[test]
    fn only_the_keys_own_signatures_of_the_same_bytes_verify() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = EcdsaPublicKey::from_pem(&pem(&pair)).unwrap();
        let sign = |pair: &EcdsaKeyPair| STANDARD.encode(pair.sign(&SystemRandom::new(), b"[{}]").unwrap());
        assert!(key.verifies(b"[{}]", &sign(&pair)));
        assert!(!key.verifies(b"[{} ]", &sign(&pair)) && !key.verifies(b"[{}]", &sign(&other)) && !key.verifies(b"[{}]", ""));
    }

    /// The sample of the programme's documentation: key, body and signature as printed there.
    #[test]
    fn a_published_sample_verifies() {
        let key = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\n\
                   kCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n-----END PUBLIC KEY-----";
        let body = br#"[{"token":"some_token","type":"some_type","url":"some_url"}]"#;
        let signature = "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=";
        assert!(EcdsaPublicKey::from_pem(key).unwrap().verifies(body, signature));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = EcdsaPublicKey::from_pem(&text);
            let _ = EcdsaPublicKey::from_pem(&format!("{BEGIN}{text}{END}"));
        }
    }
}
