//! Tokens of others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Algorithm, Fault, Jwk};

/// Longest token in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;

/// A token that was read; nothing of it is believed before [`Jws::is_signed_by`].
#[derive(Debug)]
pub struct Jws<'a> {
    algorithm: Algorithm,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Value>,
    /// Header and payload as they were signed.
    signed: &'a str,
    signature: &'a str,
    payload: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    jwk: Option<Value>,
    crit: Option<Value>,
}

impl<'a> Jws<'a> {
    /// Reads the compact form: three parts of base64url with dots between.
    pub fn read(text: &'a str) -> Result<Self, Fault> {
        const FORM: Fault = "It is no signed token in compact form.";
        if text.len() > MAX_TOKEN {
            return Err("The token is too long.");
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(FORM)?;
        let (header, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(FORM)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| FORM)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| "The token's header cannot be read.")?;
        if header.crit.is_some() {
            return Err("The token's header has crit: no extension is supported.");
        }
        let algorithm = Algorithm::read(&header.alg).ok_or("The token's alg is not supported.")?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| FORM)?;
        Ok(Self { algorithm, typ: header.typ, kid: header.kid, jwk: header.jwk, signed, signature, payload })
    }

    /// What it says that it is signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether its `typ` is this one; an empty one fits a token without. Upper and lower case are the same, and `application/` may stand before it (RFC 7515 §4.1.9).
    pub fn is_typed(&self, typ: &str) -> bool {
        let own = self.typ.as_deref().unwrap_or_default();
        let (head, rest) = own.split_at_checked(12).unwrap_or(("", own));
        own.eq_ignore_ascii_case(typ) || (head.eq_ignore_ascii_case("application/") && rest.eq_ignore_ascii_case(typ))
    }

    /// The id of the key that it names.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The key that it carries.
    pub fn jwk(&self) -> Option<&Value> {
        self.jwk.as_ref()
    }

    /// Whether `key` signed it.
    pub fn is_signed_by(&self, key: &Jwk) -> bool {
        key.verifies(self.algorithm, self.signed.as_bytes(), self.signature)
    }

    /// What it claims. To be asked for before or after the signature was checked, and believed only after.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.payload).map_err(|_| "The token's claims cannot be read, or one is missing.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// RFC 8037 appendix A.4.
    const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn key() -> Jwk {
        Jwk::read(&json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})).unwrap()
    }

    fn encoded(header: &Value) -> String {
        format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header.to_string()))
    }

    #[test]
    fn agrees_with_the_rfcs_example() {
        assert!(Jws::read(SIGNED).unwrap().is_signed_by(&key()));
        let touched = SIGNED.replace("RXhh", "RXhi");
        assert!(!Jws::read(&touched).unwrap().is_signed_by(&key()));
        let cut = &SIGNED[..SIGNED.len() - 4];
        assert!(!Jws::read(cut).unwrap().is_signed_by(&key()));
    }

    #[test]
    fn what_is_no_token_of_ours_to_read_is_refused() {
        for bad in ["", "a", "a.b", "a.b.c", "....", "e30.e30.e30.e30", "e30.e30."] {
            assert!(Jws::read(bad).is_err(), "{bad}");
        }
        for header in
            [json!({"alg": "none"}), json!({"alg": "HS256"}), json!({"alg": 7}), json!({"alg": "ES256", "crit": ["b64"]}), json!({})]
        {
            assert!(Jws::read(&encoded(&header)).is_err(), "{header}");
        }
        assert!(Jws::read(&encoded(&json!({"alg": "ES256"}))).is_ok());
        assert!(Jws::read(&format!("{}{}", encoded(&json!({"alg": "ES256"})), "A".repeat(MAX_TOKEN))).is_err());
        // A second member of the same name could be read otherwise by another reader.
        let twice = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","alg":"EdDSA"}"#));
        assert!(Jws::read(&twice).is_err());
    }

    #[test]
    fn types_have_two_forms() {
        let typed = |typ: &str| Jws::read(&encoded(&json!({"alg": "ES256", "typ": typ}))).unwrap().is_typed("at+jwt");
        assert!(typed("at+jwt") && typed("AT+JWT") && typed("application/at+jwt"));
        assert!(!typed("jwt") && !typed("") && !typed("applicationxat+jwt") && !typed("öööööööat+jwt"));
    }

    proptest! {
        #[test]
        fn any_text_ends_in_a_token_or_a_fault(text in ".{0,200}", header in "[ -~]{0,60}") {
            let _ = Jws::read(&text);
            let made = format!("{}.e30.{text}", URL_SAFE_NO_PAD.encode(header));
            if let Ok(token) = Jws::read(&made) {
                prop_assert!(!token.is_signed_by(&key()));
            }
        }
    }
}
