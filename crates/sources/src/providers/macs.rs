//! Hashes, MACs and comparisons. Every comparison of something secret takes the same time wherever the two differ.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq as _};

/// A hash function under HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Sound under HMAC, and what some vendors still use.
    Sha1,
    /// The usual one.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    fn of_hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// The HMAC of `parts`, one after another.
pub(crate) fn mac(algorithm: Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm.of_hmac(), key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// The SHA-256 of `parts`, one after another.
pub(crate) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

/// Whether any of `given` is any of `expected`: all are compared with all.
pub(crate) fn any_equal(given: &[Vec<u8>], expected: &[Vec<u8>]) -> bool {
    let mut equal = Choice::from(0);
    for candidate in given {
        for own in expected {
            equal |= candidate.as_slice().ct_eq(own.as_slice());
        }
    }
    equal.into()
}

/// Whether two texts are the same. Their hashes are compared, so that not even the length shows in the time.
pub(crate) fn same(given: &str, own: &str) -> Choice {
    sha256(&[given.as_bytes()]).as_slice().ct_eq(sha256(&[own.as_bytes()]).as_slice())
}

/// Lower- or upper-case hexadecimal.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// Base64 in either alphabet, with or without padding.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Algorithm, any_equal, mac, same, sha256, unbase64, unhex};

    #[test]
    fn agrees_with_published_vectors() {
        // RFC 2202 and RFC 4231, test case 2.
        let tag = |algorithm| mac(algorithm, b"Jefe", &[b"what do ya ", b"want for nothing?"]);
        assert_eq!(tag(Algorithm::Sha1), unhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79").unwrap());
        assert_eq!(tag(Algorithm::Sha256), unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap());
        assert!(tag(Algorithm::Sha384).starts_with(&unhex("af45d2e376484031").unwrap()));
        assert!(tag(Algorithm::Sha512).starts_with(&unhex("164b7a7bfcf819e2").unwrap()));
        assert_eq!(sha256(&[b"a", b"bc"]), unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap());
    }

    #[test]
    fn compares() {
        assert!(any_equal(&[vec![1], vec![2]], &[vec![3], vec![2]]));
        assert!(!any_equal(&[], &[vec![]]) && !any_equal(&[vec![1]], &[vec![1, 1]]));
        assert!(bool::from(same("a", "a")) && !bool::from(same("a", "ab")));
    }

    proptest! {
        #[test]
        fn reads_what_encoders_write(bytes: Vec<u8>) {
            use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
            use base64::Engine as _;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            prop_assert_eq!(unhex(&hex), Some(bytes.clone()));
            prop_assert_eq!(unbase64(&STANDARD.encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(unbase64(&URL_SAFE_NO_PAD.encode(&bytes)), Some(bytes));
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = (unhex(&text), unbase64(&text));
        }
    }
}
