//! Tokens that are bound to a key: whoever shows one proves the key with every request (RFC 9449 §7).

use access::Principal;
use access::dpop::{self, Dpop, Proof, Refusal};
use http::{HeaderMap, HeaderValue, header};
use kernel::{Error, Result};

use crate::Gate;
use crate::admit::{Arrival, Scheme};

/// In the extensions of a request that another one became (a call of a tool): what was asked for from outside, which is what a proof names.
#[derive(Clone, Debug)]
pub struct AskedAs {
    /// The method.
    pub method: http::Method,
    /// The path.
    pub path: &'static str,
}

impl Gate {
    /// Lets through what is not bound, by the scheme `Bearer`; what is bound, by the scheme `DPoP` and a proof that was not used before, here
    /// or, where Redis is set and answers, on any other node.
    ///
    /// Errors: 401 `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_credential`.
    pub(crate) async fn check_proof(&self, principal: &Principal, scheme: Scheme, token: &str, arrival: &Arrival<'_>) -> Result<()> {
        let Some(proof) = self.shown_proof(principal, scheme, token, arrival)? else { return Ok(()) };
        // Apart: a request without a proof would carry its room otherwise.
        if Box::pin(self.counters.is_first_anywhere(&Dpop::name(&proof), Dpop::memory())).await { Ok(()) } else { Err(used()) }
    }

    /// The proof of a bound token, good, and not used on this node before.
    fn shown_proof(&self, principal: &Principal, scheme: Scheme, token: &str, arrival: &Arrival<'_>) -> Result<Option<Proof>> {
        let bound = principal.token.as_ref().and_then(|token| token.jkt.as_deref());
        let Some(jkt) = bound else {
            return if scheme == Scheme::Bearer {
                Ok(None)
            } else {
                Err(wrong("This credential is not bound to a key: send it as Bearer."))
            };
        };
        if scheme != Scheme::Dpop {
            return Err(wrong("This token is bound to a key: send it by the scheme DPoP, with a proof in the DPoP field."));
        }
        let unchecked = || Error::internal("a token is bound to a key, but the gate was not told how proofs are checked");
        let dpop = self.dpop.get().ok_or_else(unchecked)?;
        let (method, path) = match arrival.asked {
            Some(asked) => (asked.method.as_str(), asked.path),
            None => (arrival.method.as_str(), arrival.path),
        };
        let proof = dpop
            .proof(arrival.headers, method, path, Some(token), arrival.now)
            .and_then(|proof| proof.ok_or(Refusal::Invalid("Send a proof in the DPoP field.")))
            .map_err(Refusal::error)?;
        if proof.jkt != jkt {
            return Err(wrong("The token is bound to another key than the proof's."));
        }
        if dpop.is_first(&proof, arrival.now) { Ok(Some(proof)) } else { Err(used()) }
    }

    /// What an answer says about proofs: how to make one, after an error of theirs; the newest nonce, to whoever uses them.
    pub(crate) fn tell_of_proofs(&self, headers: &mut HeaderMap, principal: Option<&Principal>, error: Option<&Error>) {
        let Some(dpop) = self.dpop.get() else { return };
        let code = error.map(Error::code).filter(|code| ["invalid_dpop_proof", "use_dpop_nonce"].contains(code));
        if let Some(code) = code
            && let Ok(challenge) = HeaderValue::from_str(&dpop::challenge(Some(code)))
        {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
        let is_bound = principal.is_some_and(|principal| principal.token.as_ref().is_some_and(|token| token.jkt.is_some()));
        if code == Some("use_dpop_nonce") || (is_bound && dpop.needs_nonce()) {
            let (name, value) = dpop.nonce(self.ambient.now());
            headers.insert(name, value);
        }
    }

    /// Says how proofs are checked. Once, at wiring; a second call changes nothing.
    pub fn prove_with(&self, dpop: std::sync::Arc<Dpop>) {
        let _ = self.dpop.set(dpop);
    }
}

fn used() -> Error {
    wrong("The proof was used before. Make one for each request.")
}

fn wrong(detail: &'static str) -> Error {
    Refusal::Invalid(detail).error()
}
