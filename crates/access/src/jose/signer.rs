//! A key of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use kernel::{Ambient, Error, Result, Secret};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Algorithm, Jwk};

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410 §7).
const ED25519: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The same for a number of P-256 (RFC 5915 §3 within RFC 5208 §5), without its public part, which follows from it.
const P256: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

/// A private key that signs tokens.
pub struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    secret: Secret<[u8; 32]>,
    public: Value,
    kid: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// A new key for ES256 or EdDSA. Error: internal for another algorithm.
    pub fn generate(ambient: &Ambient, algorithm: Algorithm) -> Result<Self> {
        // Of 2³² numbers of 256 bits one is not below the order of P-256: then the next is.
        Self::of(algorithm, &ambient.bytes::<32>()).or_else(|_| Self::of(algorithm, &ambient.bytes::<32>()))
    }

    /// The key of these 32 bytes, as [`Signer::secret`] gave them. Error: internal for other lengths and algorithms.
    pub fn of(algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        let secret = <[u8; 32]>::try_from(secret).map_err(|_| Error::internal("a signing key has another length"))?;
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(&[ED25519.as_slice(), &secret].concat()),
            Algorithm::Es256 => EncodingKey::from_ec_der(&[P256.as_slice(), &secret].concat()),
            _ => return Err(Error::internal("tokens of ours are signed with ES256 or EdDSA")),
        };
        let library = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, algorithm.library()).map_err(Error::internal)?;
        let mut public = serde_json::to_value(&library).map_err(Error::internal)?;
        if let Some(members) = public.as_object_mut() {
            members.remove("alg");
        }
        let read = Jwk::read(&public).map_err(Error::internal)?;
        let kid = read.thumbprint();
        Ok(Self { algorithm, key, secret: Secret::new(secret), public: read.members(), kid })
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its id: the thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private part, to be sealed for storage.
    pub fn secret(&self) -> &Secret<[u8; 32]> {
        &self.secret
    }

    /// As a member of a key set (RFC 7517 §4).
    pub fn public(&self) -> Value {
        let mut key = self.public.clone();
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm.name());
        key["kid"] = json!(self.kid);
        key
    }

    /// A token of `typ` with these claims. Error: internal.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String> {
        self.sign_with(&json!({"alg": self.algorithm.name(), "typ": typ, "kid": self.kid}), claims)
    }

    fn sign_with(&self, header: &Value, claims: &impl Serialize) -> Result<String> {
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).map_err(Error::internal)?, &mut token);
        let signature = jsonwebtoken::crypto::sign(token.as_bytes(), &self.key, self.algorithm.library()).map_err(Error::internal)?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }
}

#[cfg(test)]
impl Signer {
    /// A token with any header.
    pub(crate) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(header, claims).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Jws;

    #[test]
    fn what_it_signs_verifies_with_what_it_publishes() {
        let ambient = Ambient::system();
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let signer = Signer::generate(&ambient, algorithm).unwrap();
            let token = signer.sign("at+jwt", &json!({"sub": "somebody"})).unwrap();
            let key = Jwk::read(&signer.public()).unwrap();
            let read = Jws::read(&token).unwrap();
            assert!(read.is_signed_by(&key) && read.is_typed("at+jwt") && read.kid() == Some(signer.kid()));
            assert_eq!(read.claims::<Value>().unwrap(), json!({"sub": "somebody"}));
            // The library's own reader agrees.
            let library = jsonwebtoken::decode_header(&token).unwrap();
            assert_eq!(library.kid.as_deref(), Some(signer.kid()));
            let same = Signer::of(algorithm, signer.secret().reveal()).unwrap();
            assert_eq!(same.public(), signer.public());
            let other = Signer::generate(&ambient, algorithm).unwrap();
            assert!(!read.is_signed_by(&Jwk::read(&other.public()).unwrap()));
            assert!(!format!("{signer:?}").contains("secret"));
        }
        assert!(Signer::generate(&ambient, Algorithm::Rs256).is_err());
        assert!(Signer::of(Algorithm::Es256, &[0xff; 32]).is_err(), "above the order of the curve");
        assert!(Signer::of(Algorithm::EdDsa, &[1; 31]).is_err());
    }
}
