//! Public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Algorithm, Fault};

/// Members of private and symmetric keys (RFC 7518 §6).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
/// Most keys of a client.
const MAX_KEYS: usize = 20;
/// Longest key id.
const MAX_KID: usize = 256;

/// A public key that verifies.
#[derive(Clone, Debug)]
pub struct Jwk {
    key: DecodingKey,
    kind: Kind,
    /// Only what makes the key, in the order of the thumbprint.
    members: Map<String, Value>,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

impl Kind {
    fn fits(self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::P256, Algorithm::Es256)
                | (Self::P384, Algorithm::Es384)
                | (Self::Ed25519, Algorithm::EdDsa)
                | (Self::Rsa, Algorithm::Ps256 | Algorithm::Rs256)
        )
    }
}

impl Jwk {
    /// Reads a key of P-256, P-384, Ed25519 or RSA from 2048 to 4096 bits.
    pub fn read(value: &Value) -> Result<Self, Fault> {
        let object = value.as_object().ok_or("A key is a JSON object.")?;
        if PRIVATE.iter().any(|name| object.contains_key(*name)) {
            return Err("The key has private parts. Send only the public key.");
        }
        if object.get("use").is_some_and(|purpose| purpose != "sig") {
            return Err("The key is not for signatures.");
        }
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let (kind, members, key) = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => elliptic(Kind::P256, "P-256", 32, text("x"), text("y"))?,
            (Some("EC"), Some("P-384")) => elliptic(Kind::P384, "P-384", 48, text("x"), text("y"))?,
            (Some("OKP"), Some("Ed25519")) => edwards(text("x"))?,
            (Some("RSA"), _) => rsa(text("n"), text("e"))?,
            _ => return Err("The key is of no kind that is supported: EC with P-256 or P-384, OKP with Ed25519, RSA."),
        };
        let kid = text("kid").map(str::to_owned);
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err("The key's id is too long.");
        }
        let algorithm = match text("alg").map(Algorithm::read) {
            None => None,
            Some(Some(algorithm)) if kind.fits(algorithm) => Some(algorithm),
            Some(_) => return Err("The key's alg does not fit the key."),
        };
        Ok(Self { key, kind, members, kid, algorithm })
    }

    /// Whether signatures of this algorithm can be this key's.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.kind.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Its id, if its owner gave it one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The base64url of its thumbprint with SHA-256 (RFC 7638): the same for every way to write the same key.
    pub fn thumbprint(&self) -> String {
        let text = Value::Object(self.members.clone()).to_string();
        URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
    }

    /// What makes the key, and nothing else.
    pub fn members(&self) -> Value {
        Value::Object(self.members.clone())
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &str) -> bool {
        self.fits(algorithm) && jsonwebtoken::crypto::verify(signature, signed, &self.key, algorithm.library()).unwrap_or(false)
    }
}

type Parts = (Kind, Map<String, Value>, DecodingKey);

/// Members in the order of their names, as the thumbprint wants them (the map keeps the order of insertion).
fn members(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

/// The bytes of a member. The decoder takes only the one text that these bytes have, so no key has two thumbprints.
fn bytes(text: Option<&str>) -> Result<(&str, Vec<u8>), Fault> {
    let text = text.ok_or("The key lacks a member.")?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "A member of the key is no base64url.")?;
    Ok((text, bytes))
}

fn elliptic(kind: Kind, curve: &str, size: usize, x: Option<&str>, y: Option<&str>) -> Result<Parts, Fault> {
    let ((x, x_bytes), (y, y_bytes)) = (bytes(x)?, bytes(y)?);
    if x_bytes.len() != size || y_bytes.len() != size {
        return Err("A coordinate of the key has another length.");
    }
    let key = DecodingKey::from_ec_components(x, y).map_err(|_| "The key cannot be read.")?;
    Ok((kind, members(&[("crv", curve), ("kty", "EC"), ("x", x), ("y", y)]), key))
}

fn edwards(x: Option<&str>) -> Result<Parts, Fault> {
    let (x, x_bytes) = bytes(x)?;
    if x_bytes.len() != 32 {
        return Err("The key has another length.");
    }
    let key = DecodingKey::from_ed_components(x).map_err(|_| "The key cannot be read.")?;
    Ok((Kind::Ed25519, members(&[("crv", "Ed25519"), ("kty", "OKP"), ("x", x)]), key))
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Result<Parts, Fault> {
    let ((n, n_bytes), (e, e_bytes)) = (bytes(n)?, bytes(e)?);
    // RFC 7518 §2: no leading zeros. Larger keys and exponents would let strangers spend our time.
    if n_bytes.first().is_none_or(|byte| *byte == 0) || !(256..=512).contains(&n_bytes.len()) {
        return Err("An RSA key has from 2048 to 4096 bits.");
    }
    if e_bytes.first().is_none_or(|byte| *byte == 0) || e_bytes.len() > 4 {
        return Err("The exponent of the RSA key is not supported.");
    }
    let key = DecodingKey::from_rsa_components(n, e).map_err(|_| "The key cannot be read.")?;
    Ok((Kind::Rsa, members(&[("e", e), ("kty", "RSA"), ("n", n)]), key))
}

/// The keys of a client (RFC 7517 §5). Keys of kinds that we do not know are passed over, as the RFC wants.
#[derive(Clone, Debug, Default)]
pub struct JwkSet(Vec<Jwk>);

impl JwkSet {
    /// Reads a set with at least one key that is of use, and no private one.
    pub fn read(value: &Value) -> Result<Self, Fault> {
        let keys = value.get("keys").and_then(Value::as_array).ok_or("A key set is an object with the member keys, a list.")?;
        if keys.len() > MAX_KEYS {
            return Err("A key set has at most 20 keys.");
        }
        let is_private = |key: &Value| PRIVATE.iter().any(|name| key.get(name).is_some());
        if keys.iter().any(is_private) {
            return Err("A key of the set has private parts. Send only public keys.");
        }
        let read: Vec<Jwk> = keys.iter().filter_map(|key| Jwk::read(key).ok()).collect();
        if read.is_empty() { Err("No key of the set is of a kind that is supported.") } else { Ok(Self(read)) }
    }

    /// Those that may have signed: of this id, if one is named, and of a kind that fits.
    pub fn candidates<'a>(&'a self, kid: Option<&'a str>, algorithm: Algorithm) -> impl Iterator<Item = &'a Jwk> {
        self.0.iter().filter(move |key| key.fits(algorithm) && (kid.is_none() || key.kid() == kid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1.
    const RSA: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        let rsa = json!({"kty": "RSA", "n": RSA, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
        assert_eq!(Jwk::read(&rsa).unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // RFC 8037 appendix A.3.
        let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert_eq!(Jwk::read(&edwards).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // RFC 9449 §6.1: the key of its example and what it is bound by.
        let elliptic = json!({
            "kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        });
        assert_eq!(Jwk::read(&elliptic).unwrap().thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn what_is_no_public_key_for_signatures_is_refused() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert!(Jwk::read(&good).is_ok());
        let with = |name: &str, value: Value| {
            let mut key = good.clone();
            key[name] = value;
            Jwk::read(&key).err()
        };
        assert!(with("d", json!("x")).unwrap().contains("private"));
        assert!(with("k", json!("x")).unwrap().contains("private"));
        assert!(with("use", json!("enc")).is_some() && with("use", json!("sig")).is_none());
        assert!(with("alg", json!("ES256")).is_some() && with("alg", json!("HS256")).is_some() && with("alg", json!("EdDSA")).is_none());
        assert!(with("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp")).is_some(), "another text of the same bytes");
        assert!(with("x", json!("AAAA")).is_some() && with("x", json!(7)).is_some() && with("crv", json!("X25519")).is_some());
        assert!(with("kid", json!("k".repeat(257))).is_some());
        for bad in [json!(null), json!([]), json!({"kty": "oct", "k": "AAAA"}), json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})] {
            assert!(Jwk::read(&bad).is_err(), "{bad}");
        }
        assert!(Jwk::read(&json!({"kty": "RSA", "n": RSA, "e": "AQAAAAAB"})).is_err());
    }

    #[test]
    fn a_set_has_keys_of_use_and_no_private_ones() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"});
        let set = JwkSet::read(&json!({"keys": [good, {"kty": "AKP", "alg": "ML-DSA-44"}]})).unwrap();
        assert_eq!(set.candidates(Some("a"), Algorithm::EdDsa).count(), 1);
        assert_eq!(set.candidates(None, Algorithm::EdDsa).count(), 1);
        assert_eq!(set.candidates(Some("b"), Algorithm::EdDsa).count(), 0);
        assert_eq!(set.candidates(Some("a"), Algorithm::Es256).count(), 0);
        assert!(JwkSet::read(&json!({"keys": [good, {"kty": "oct", "k": "AAAA"}]})).is_err());
        assert!(JwkSet::read(&json!({"keys": []})).is_err() && JwkSet::read(&json!([])).is_err());
        assert!(JwkSet::read(&json!({"keys": vec![good; 21]})).is_err());
    }
}
