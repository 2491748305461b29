//! Proofs as requests carry them.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use kernel::{Error, Result, Timestamp};
use store::Store;
use url::Url;

use super::{NONCE_HEADER, Nonces, PROOF_HEADER, Proof, Refusal, Replays, Request, check};
use crate::jose::Algorithm;

/// What checks proofs on this node, at the gate and at the token endpoint.
pub struct Dpop {
    nonces: Nonces,
    replays: Replays,
    /// Our address as clients know it.
    public_url: Url,
    needs_nonce: bool,
}

impl Dpop {
    /// `public_url`: the address that proofs must name. `needs_nonce`: whether every proof must have a nonce of ours.
    ///
    /// Errors: 422 `invalid_public_url`; those of the store.
    pub async fn new(store: &Store, public_url: &str, needs_nonce: bool) -> Result<Arc<Self>> {
        let fault = || Error::invalid("invalid_public_url", "TRADEWIND_PUBLIC_URL must be an address such as https://api.example.com.");
        let public_url = Url::parse(public_url).map_err(|_| fault())?;
        if public_url.host_str().is_none() {
            return Err(fault());
        }
        Ok(Arc::new(Self { nonces: Nonces::load(store).await?, replays: Replays::default(), public_url, needs_nonce }))
    }

    /// The proof that a request carries; none, if it carries none. `access_token`: the token that it shows.
    ///
    /// Not yet whether it was used before: ask [`Dpop::is_first`] when everything else about the caller is known.
    pub fn proof(
        &self,
        headers: &HeaderMap,
        method: &str,
        path: &str,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Proof>, Refusal> {
        let mut shown = headers.get_all(PROOF_HEADER).iter();
        let Some(proof) = shown.next() else { return Ok(None) };
        if shown.next().is_some() {
            return Err(Refusal::Invalid("Send one DPoP field."));
        }
        let proof = proof.to_str().map_err(|_| Refusal::Invalid("The DPoP field is no signed token."))?;
        let mut url = self.public_url.clone();
        url.set_path(&format!("{}{path}", self.public_url.path().trim_end_matches('/')));
        let request = Request { method, url: &url, now, access_token, needs_nonce: self.needs_nonce };
        check(proof, &request, &self.nonces).map(Some)
    }

    /// Whether this node sees the proof for the first time; from now on it does not.
    pub fn is_first(&self, proof: &Proof, now: Timestamp) -> bool {
        self.replays.is_first(&proof.jkt, &proof.jti, now)
    }

    /// What a proof is remembered by: the same on every node, fixed in size.
    pub fn name(proof: &Proof) -> [u8; 16] {
        super::replay::digest(&proof.jkt, &proof.jti)
    }

    /// How long a proof must be remembered: as long as it could be accepted.
    pub fn memory() -> std::time::Duration {
        Nonces::lifetime()
    }

    /// Whether every proof must have a nonce.
    pub fn needs_nonce(&self) -> bool {
        self.needs_nonce
    }

    /// `DPoP-Nonce` with the newest nonce.
    pub fn nonce(&self, now: Timestamp) -> (&'static str, HeaderValue) {
        let value = HeaderValue::from_str(&self.nonces.newest(now)).expect("base64url is a header's value");
        (NONCE_HEADER, value)
    }
}

/// The value of `WWW-Authenticate` for a refusal (RFC 9449 §7.1). `error`: one of the codes of RFC 6750 or of [`Refusal`]; none: no token was
/// shown, and nothing is said of it.
pub fn challenge(error: Option<&str>) -> String {
    let algorithms = Algorithm::ALL.map(Algorithm::name).join(" ");
    let error = error.map(|code| format!("error=\"{code}\", ")).unwrap_or_default();
    format!("DPoP {error}algs=\"{algorithms}\"")
}
