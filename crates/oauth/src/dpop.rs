//! Proofs at the token endpoint (RFC 9449 §5): what is issued is bound to the key that the request proves.

use std::sync::Arc;

use access::dpop::{Dpop, Nonces, Refusal};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Error, Kind, Result};

use crate::clients::OAuthClient;
use crate::{Oauth, system, used_tokens};

impl Oauth {
    /// Says how proofs are checked. Once, at wiring; a second call changes nothing. Without it no token is bound to a key.
    pub fn prove_with(&self, dpop: Arc<Dpop>) {
        let _ = self.dpop.set(dpop);
    }

    /// The thumbprint of the key that a request for tokens proves; none: it proves none, and `client` need not.
    ///
    /// Errors: 400 `invalid_dpop_proof`, `use_dpop_nonce`; those of the store.
    pub(crate) async fn needed_key(self: &Arc<Self>, headers: &HeaderMap, client: &OAuthClient) -> Result<Option<String>> {
        let shown = self.shown_key(headers, "/oauth/token").await?;
        if shown.is_none() && client.stored.require_dpop {
            return Err(refused(Refusal::Invalid("This client's tokens are bound to a key: send a proof in the DPoP field.")));
        }
        Ok(shown)
    }

    /// The thumbprint of the key that a request to `path` by POST proves, if it proves one. Errors: as above.
    pub(crate) async fn shown_key(self: &Arc<Self>, headers: &HeaderMap, path: &str) -> Result<Option<String>> {
        let Some(dpop) = self.dpop.get() else { return Ok(None) };
        let now = self.ambient.now();
        let Some(proof) = dpop.proof(headers, "POST", path, None, now).map_err(refused)? else { return Ok(None) };
        let until = now.plus(Nonces::lifetime());
        let (jkt, jti) = (proof.jkt.clone(), proof.jti);
        let first = self.store.write(system(), move |tx| used_tokens::is_first(tx, used_tokens::Kind::Proof, &jkt, &jti, until)).await?;
        if first { Ok(Some(proof.jkt)) } else { Err(refused(Refusal::Invalid("The proof was used before. Make one for each request."))) }
    }

    /// The nonce that an answer carries: to whoever lacks it, and to whoever uses proofs where they need one.
    pub(crate) fn nonce_for(&self, used: bool, error: Option<&Error>) -> Option<(HeaderName, HeaderValue)> {
        let dpop = self.dpop.get()?;
        let is_asked = error.is_some_and(|error| error.code() == "use_dpop_nonce");
        let (name, value) = (is_asked || (used && dpop.needs_nonce())).then(|| dpop.nonce(self.ambient.now()))?;
        Some((HeaderName::from_static(name), value))
    }
}

fn refused(refusal: Refusal) -> Error {
    Error::new(Kind::Malformed, refusal.code(), refusal.detail())
}
