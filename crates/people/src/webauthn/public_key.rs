//! The key of a passkey: COSE (RFC 9052 §7), of the three kinds that browsers and devices have in common.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use coset::cbor::Value;
use coset::iana::{self, EnumI64 as _};
use coset::{Algorithm, CborSerializable as _, CoseKey, KeyType, Label};

use super::Fault;

/// Those that we ask for, the best first: EdDSA, ES256, RS256. By their numbers in the IANA registry.
pub(crate) const ALGORITHMS: [i64; 3] = [-8, -7, -257];
/// Longest key in bytes: RSA with 4096 bits, and a little.
const LONGEST: usize = 1024;

/// A public key that verifies.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// Ed25519: 32 bytes.
    Edwards(Vec<u8>),
    /// P-256: the uncompressed point.
    Elliptic(Vec<u8>),
    /// RSA from 2048 to 4096 bits: modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
}

impl PublicKey {
    /// Reads all of it.
    pub(super) fn read(cose: &[u8]) -> Result<Self, Fault> {
        if cose.len() > LONGEST {
            return Err("the key is too long");
        }
        let key = CoseKey::from_slice(cose).map_err(|_| "the key is no COSE key")?;
        let (KeyType::Assigned(kind), Some(Algorithm::Assigned(algorithm))) = (&key.kty, &key.alg) else {
            return Err("the key is of no kind that we know");
        };
        match (kind, algorithm) {
            (iana::KeyType::OKP, iana::Algorithm::EdDSA) => {
                curve(&key, iana::OkpKeyParameter::Crv.to_i64(), iana::EllipticCurve::Ed25519)?;
                Ok(Self::Edwards(sized(&key, iana::OkpKeyParameter::X.to_i64(), 32)?.to_vec()))
            }
            (iana::KeyType::EC2, iana::Algorithm::ES256) => {
                curve(&key, iana::Ec2KeyParameter::Crv.to_i64(), iana::EllipticCurve::P_256)?;
                let x = sized(&key, iana::Ec2KeyParameter::X.to_i64(), 32)?;
                let y = sized(&key, iana::Ec2KeyParameter::Y.to_i64(), 32)?;
                Ok(Self::Elliptic([&[4], x, y].concat()))
            }
            (iana::KeyType::RSA, iana::Algorithm::RS256) => {
                let n = member(&key, iana::RsaKeyParameter::N.to_i64())?;
                let e = member(&key, iana::RsaKeyParameter::E.to_i64())?;
                let fits = (256..=512).contains(&n.len()) && n[0] != 0 && (1..=4).contains(&e.len()) && e[0] != 0;
                if fits { Ok(Self::Rsa(n.to_vec(), e.to_vec())) } else { Err("an RSA key has from 2048 to 4096 bits") }
            }
            _ => Err("the key's algorithm does not go with it, or is none of those that were asked for"),
        }
    }

    /// Whether this key made the signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Edwards(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::Elliptic(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok(),
            Self::Rsa(n, e) => PublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }
}

/// The one value of a label. A second one could be read otherwise by another reader.
fn value(key: &CoseKey, label: i64) -> Result<&Value, Fault> {
    let mut all = key.params.iter().filter(|(name, _)| *name == Label::Int(label));
    match (all.next(), all.next()) {
        (Some((_, value)), None) => Ok(value),
        _ => Err("the key lacks a member, or has one twice"),
    }
}

fn member(key: &CoseKey, label: i64) -> Result<&[u8], Fault> {
    value(key, label)?.as_bytes().map(Vec::as_slice).ok_or("a member of the key is of another type")
}

fn sized(key: &CoseKey, label: i64, length: usize) -> Result<&[u8], Fault> {
    let bytes = member(key, label)?;
    if bytes.len() == length { Ok(bytes) } else { Err("a member of the key has another length") }
}

fn curve(key: &CoseKey, label: i64, wanted: iana::EllipticCurve) -> Result<(), Fault> {
    let named = value(key, label)?.as_integer().and_then(|number| i64::try_from(number).ok());
    if named == Some(wanted.to_i64()) { Ok(()) } else { Err("the key is on another curve") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edwards() -> Vec<u8> {
        [&[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20][..], &[7; 32]].concat()
    }

    #[test]
    fn a_key_is_read_whole_and_of_one_kind() {
        assert_eq!(PublicKey::read(&edwards()), Ok(PublicKey::Edwards(vec![7; 32])));
        let with = |at: usize, byte: u8| {
            let mut key = edwards();
            key[at] = byte;
            PublicKey::read(&key)
        };
        // Its kind, its algorithm, its curve: one that is another does not go with the rest.
        assert!(with(2, 0x02).is_err() && with(4, 0x26).is_err() && with(6, 0x01).is_err());
        assert!(PublicKey::read(&[&edwards()[..], &[0]].concat()).is_err(), "something follows");
        let twice = [&[0xa5][..], &edwards()[1..], &[0x20, 0x06]].concat();
        assert!(PublicKey::read(&twice).is_err(), "a member twice");
        assert!(PublicKey::read(&[0xa0]).is_err() && PublicKey::read(&[]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_key_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(key) = PublicKey::read(&bytes) {
                prop_assert!(!key.verifies(b"message", &bytes));
            }
        }
    }
}
