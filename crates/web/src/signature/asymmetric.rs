//! Standard Webhooks' asymmetric signatures: `v1a`, Ed25519 over the same text as `v1`.
//!
//! A receiver needs the public key only, so nothing that it holds can forge a delivery. The written forms are the standard's: `whpk_` and the
//! base64 of the 32 public bytes; a key set (RFC 7517) names the same bytes as an OKP key (RFC 8037), and its `kid` is the key's thumbprint
//! (RFC 7638).

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kernel::{Ambient, Error, Result, Secret};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{forged, fresh};

/// The prefix of a public key's text.
pub const PUBLIC_PREFIX: &str = "whpk_";
const LENGTH: usize = 32;

/// A key that signs.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    seed: Secret<[u8; LENGTH]>,
    public: PublicKey,
}

impl SigningKey {
    /// A new one.
    pub fn generate(ambient: &Ambient) -> Self {
        Self::of_seed(ambient.bytes()).expect("any 32 bytes are a seed")
    }

    /// From its seed, as [`SigningKey::seed`] gave it. Error: internal, when that is not 32 bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self> {
        let seed = <[u8; LENGTH]>::try_from(seed).map_err(|_| Error::internal("a signing key's seed has another length"))?;
        Self::of_seed(seed)
    }

    fn of_seed(seed: [u8; LENGTH]) -> Result<Self> {
        let seed = Secret::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal()).map_err(Error::internal)?;
        let public = <[u8; LENGTH]>::try_from(pair.public_key().as_ref()).map_err(Error::internal)?;
        Ok(Self { pair: Arc::new(pair), seed, public: PublicKey(public) })
    }

    /// The seed, to be sealed for storage.
    pub fn seed(&self) -> &Secret<[u8; LENGTH]> {
        &self.seed
    }

    /// What verifies its signatures.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

/// A key that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; LENGTH]);

impl PublicKey {
    /// Reads the written form. Error: 422 `invalid_webhook_key`.
    pub fn parse(text: &str) -> Result<Self> {
        let fault = || Error::invalid("invalid_webhook_key", "A webhook's public key is whpk_ and the base64 of 32 bytes.");
        let bytes = STANDARD.decode(text.strip_prefix(PUBLIC_PREFIX).ok_or_else(fault)?).map_err(|_| fault())?;
        bytes.try_into().map(Self).map_err(|_| fault())
    }

    /// The written form.
    pub fn text(&self) -> String {
        format!("{PUBLIC_PREFIX}{}", STANDARD.encode(self.0))
    }

    /// Its id: the thumbprint of RFC 7638.
    pub fn kid(&self) -> String {
        // The members that the RFC names, in its order, without white space.
        let thumb = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(self.0));
        URL_SAFE_NO_PAD.encode(Sha256::digest(thumb.as_bytes()))
    }

    /// As a member of a key set; `whpk` is the written form.
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.kid(), "x": URL_SAFE_NO_PAD.encode(self.0), "whpk": self.text(),
        })
    }
}

/// The asymmetric entries of `webhook-signature`: `v1a,<base64>` for each key, separated by spaces.
pub fn sign_asymmetric(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let text = signed_text(id, timestamp, body);
    let one = |key: &SigningKey| format!("v1a,{}", STANDARD.encode(key.pair.sign(&text)));
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Checks `webhook-id`, `webhook-timestamp` and the asymmetric entries of `webhook-signature`. Entries of other versions are passed over.
///
/// Errors: 401 `stale_timestamp`, 401 `invalid_signature`.
pub fn verify_asymmetric(
    keys: &[PublicKey],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: i64,
    tolerance: i64,
) -> Result<()> {
    let text = signed_text(id, fresh(timestamp, now, tolerance)?, body);
    let mut given = signatures.split(' ').filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1a,")?).ok());
    let fits = |signature: Vec<u8>| keys.iter().any(|key| UnparsedPublicKey::new(&ED25519, key.0).verify(&text, &signature).is_ok());
    if given.any(fits) { Ok(()) } else { Err(forged()) }
}

fn signed_text(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    /// RFC 8037 A.1 to A.3: the key, and its thumbprint.
    fn known() -> SigningKey {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        SigningKey::from_seed(&seed).unwrap()
    }

    #[test]
    fn agrees_with_the_rfcs() {
        let public = *known().public();
        assert_eq!(public.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(public.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(public.text(), "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        assert_eq!(PublicKey::parse(&public.text()).unwrap(), public);
    }

    #[test]
    fn signs_and_refuses_what_was_touched() {
        let (key, other) = (known(), SigningKey::generate(&Ambient::system()));
        let signed = sign_asymmetric(&[other.clone(), key.clone()], ID, AT, BODY);
        assert_eq!(signed.split(' ').count(), 2);
        let at = AT.to_string();
        let code = |keys: &[PublicKey], id: &str, at: &str, signed: &str, body: &[u8], now| {
            verify_asymmetric(keys, id, at, signed, body, now, 300).err().map(|error| error.code())
        };
        for held in [key.public(), other.public()] {
            assert_eq!(code(&[*held], ID, &at, &signed, BODY, AT), None);
        }
        let held = [*key.public()];
        assert_eq!(code(&held, "msg_other", &at, &signed, BODY, AT), Some("invalid_signature"));
        assert_eq!(code(&held, ID, &(AT + 1).to_string(), &signed, BODY, AT), Some("invalid_signature"));
        assert_eq!(code(&held, ID, &at, &signed, b"{}", AT), Some("invalid_signature"));
        assert_eq!(code(&held, ID, &at, &signed.replace("v1a,", "v1,"), BODY, AT), Some("invalid_signature"));
        assert_eq!(code(&[], ID, &at, &signed, BODY, AT), Some("invalid_signature"));
        assert_eq!(code(&held, ID, &at, &signed, BODY, AT + 301), Some("stale_timestamp"));
        let stranger = *SigningKey::generate(&Ambient::system()).public();
        assert_eq!(code(&[stranger], ID, &at, &signed, BODY, AT), Some("invalid_signature"));
    }

    #[test]
    fn keys_have_their_form_and_do_not_print() {
        for bad in ["", "whpk_", "whpk_AAAA", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "whpk_!!!!"] {
            assert_eq!(PublicKey::parse(bad).unwrap_err().code(), "invalid_webhook_key", "{bad}");
        }
        assert!(SigningKey::from_seed(&[1; 31]).is_err());
        let key = known();
        let again = SigningKey::from_seed(key.seed().reveal()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(format!("{key:?}"), format!("SigningKey({:?})", key.public()));
    }
}
