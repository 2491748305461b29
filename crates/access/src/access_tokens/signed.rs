//! Access tokens in the form of JWTs (RFC 9068), for hosts and partners that check tokens by themselves with the published keys.
//!
//! For us such a token is one like the opaque ones: its row is found by its `jti`, and its hash is compared. Nobody can make a text with that
//! hash who has not seen the token, so the signature, which is for others, need not be checked again at every request; and a revoked token is
//! refused at once, which no signature could tell.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Error, Result, Secret};
use store::Tx;

use super::{Handle, NewToken, sql};
use crate::Access;
use crate::credentials::Purpose;
use crate::keys::token::KEY_ID_LEN;

/// Longest signed token that is looked at.
const MAX_SIGNED: usize = 8 * 1024;
/// How the claims of every token of ours begin. Their first 21 bytes are 28 characters of base64url.
const BEGIN: &[u8] = b"{\"jti\":\"";
const BEGIN_CHARS: usize = 28;

impl Access {
    /// Stores a new access token that `write` signs, given its `jti`, which must be the first of its claims. Errors: those of `write` and of
    /// the store.
    pub fn issue_signed_token(
        &self,
        tx: &mut Tx<'_>,
        token: &NewToken,
        write: impl FnOnce(&str) -> Result<String>,
    ) -> Result<Secret<String>> {
        let new = self.new_handle(Handle::AccessToken);
        let text = Secret::new(write(&new.key_id)?);
        let hash = self.pepper.hash(Purpose::Token, text.reveal());
        // Its id is random, 71 bits of it: nobody has it.
        if sql::insert(tx, token, &new.key_id, &hash)? { Ok(text) } else { Err(Error::internal("an access token's random id is taken")) }
    }
}

/// The `jti` of a text that has the form of such a token. Without allocation.
pub(crate) fn key_id(text: &str) -> Option<[u8; KEY_ID_LEN]> {
    if text.len() > MAX_SIGNED || !text.is_ascii() {
        return None;
    }
    let (_, rest) = text.split_once('.')?;
    let (claims, signature) = rest.split_once('.')?;
    if signature.contains('.') {
        return None;
    }
    let mut begin = [0; 21];
    let read = URL_SAFE_NO_PAD.decode_slice(claims.get(..BEGIN_CHARS)?, &mut begin).ok()?;
    let id = begin.strip_prefix(BEGIN)?.strip_suffix(b"\"")?;
    let id: [u8; KEY_ID_LEN] = id.try_into().ok()?;
    (read == begin.len() && id.iter().all(u8::is_ascii_alphanumeric)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithm, Signer};
    use kernel::Ambient;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_token_of_ours_is_found_by_its_jti() {
        let signer = Signer::generate(&Ambient::system(), Algorithm::Es256).unwrap();
        let signed = |claims: serde_json::Value| signer.sign("at+jwt", &claims).unwrap();
        assert_eq!(key_id(&signed(json!({"jti": "0Az9bCdEfGhI", "sub": "x"}))), Some(*b"0Az9bCdEfGhI"));
        for other in [
            json!({"sub": "x", "jti": "0Az9bCdEfGhI"}),
            json!({"jti": "0Az9bCdEfGh"}),
            json!({"jti": "0Az9bCdEfGh_"}),
            json!({"jti": "0Az9bCdEfGhIj"}),
            json!({}),
        ] {
            assert_eq!(key_id(&signed(other.clone())), None, "{other}");
        }
        for bad in ["", "a.b.c", "..", "a.b.c.d", "twa_live_x"] {
            assert_eq!(key_id(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_ends_well(text in ".{0,120}") {
            let _ = key_id(&text);
            let _ = key_id(&format!("a.{text}.b"));
        }
    }
}
