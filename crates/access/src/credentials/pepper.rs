//! The keyed hash under which secrets are stored.

use hmac::{Hmac, KeyInit, Mac};
use kernel::{Ambient, Result};
use sha2::Sha256;
use store::Store;

/// HMAC-SHA-256 with the installation's pepper, keyed once.
#[derive(Clone)]
pub(crate) struct Pepper(Hmac<Sha256>);

/// What is hashed. An API key or service key is hashed as it is (api.md: `HMAC-SHA-256(pepper, token)`); the others are told apart, so
/// that one kind's hash is never good for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A whole key token.
    Token,
    /// The second secret of a key under dual authentication.
    KeySecret,
    /// A client's secret.
    ClientSecret,
    /// The SHA-256 of a token, in hexadecimal digits.
    Fingerprint,
}

impl Pepper {
    /// The installation's pepper, made at the first start and sealed in the database.
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        let ambient: Ambient = store.ambient().clone();
        let secret = store.installation_secret("key_pepper", move || ambient.bytes::<32>().to_vec()).await?;
        Ok(Self::of(secret.reveal()))
    }

    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// The stored form of `secret`.
    pub(crate) fn hash(&self, purpose: Purpose, secret: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(match purpose {
            Purpose::Token => b"",
            Purpose::KeySecret => b"key-secret:",
            Purpose::ClientSecret => b"client-secret:",
            Purpose::Fingerprint => b"token-sha256:",
        });
        mac.update(secret.as_bytes());
        mac.finalize().into_bytes().into()
    }
}
