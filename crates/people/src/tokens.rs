//! Tokens of sessions, links and invitations: 256 random bits in base64url, stored as a keyed hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Ambient, Result, Secret};
use sha2::Sha256;
use store::Store;

/// Longest text that is taken for a token, in bytes.
const MAX_LEN: usize = 128;

/// What is hashed. Told apart, so that a token of one kind is never good for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    Pending,
    Link,
    Invitation,
    RecoveryCode,
    /// An e-mail address, for counting failed attempts.
    Account,
    /// Against forgery of a session's requests.
    Csrf,
    /// What a passkey signs, and what another provider repeats.
    Ceremony,
    /// What tells one browser from others.
    Browser,
    /// What goes with a sign-in at another provider: the nonce in its token, and what proves that we asked for its code.
    Nonce,
    Verifier,
}

/// HMAC-SHA-256 under a key of the installation.
#[derive(Clone)]
pub(crate) struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// Under the installation's key, made at first use and sealed in the database.
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        let ambient = store.ambient().clone();
        let key = store.installation_secret("people_tokens", move || ambient.bytes::<32>().to_vec()).await?;
        Ok(Self(Hmac::new_from_slice(key.reveal()).expect("HMAC takes a key of any length")))
    }

    /// The stored form.
    pub(crate) fn hash(&self, kind: Kind, text: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(match kind {
            Kind::Session => b"session:",
            Kind::Pending => b"pending:",
            Kind::Link => b"link:",
            Kind::Invitation => b"invitation:",
            Kind::RecoveryCode => b"recovery-code:",
            Kind::Account => b"account:",
            Kind::Csrf => b"csrf:",
            Kind::Ceremony => b"ceremony:",
            Kind::Browser => b"browser:",
            Kind::Nonce => b"nonce:",
            Kind::Verifier => b"verifier:",
        });
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A new token with its stored form.
    pub(crate) fn mint(&self, kind: Kind, ambient: &Ambient) -> Minted {
        let token = URL_SAFE_NO_PAD.encode(ambient.bytes::<32>());
        Minted { hash: self.hash(kind, &token), token: Secret::new(token) }
    }

    /// The hash of what somebody shows; none: that cannot be a token.
    pub(crate) fn shown(&self, kind: Kind, text: &str) -> Option<[u8; 32]> {
        let fits = !text.is_empty() && text.len() <= MAX_LEN && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        fits.then(|| self.hash(kind, text))
    }

    /// What a session's forms repeat.
    pub(crate) fn csrf(&self, token: &str) -> String {
        self.derived(Kind::Csrf, token)
    }

    /// What follows from a token, and says nothing about it: 43 characters of base64url.
    pub(crate) fn derived(&self, kind: Kind, token: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.hash(kind, token))
    }
}

/// A new token.
pub(crate) struct Minted {
    pub(crate) token: Secret<String>,
    pub(crate) hash: [u8; 32],
}
