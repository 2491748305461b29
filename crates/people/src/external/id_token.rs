//! What a provider's word must say (OpenID Connect Core 1.0 §3.1.3.7). Pure.

use access::jose::{Fault, JwkSet, Jws, whole_seconds};
use kernel::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// How far the provider's clock may be from ours in seconds.
const SKEW: i64 = 60;
/// Longest subject (§2).
const MAX_SUBJECT: usize = 255;
/// Longest address that is looked at.
const MAX_EMAIL: usize = 254;

/// What was asked, and of whom.
pub(super) struct Asked<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Somebody, as the provider knows them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) email: Option<String>,
    #[serde(default)]
    email_verified: Value,
    pub(crate) name: Option<String>,
}

impl Claims {
    /// The address, in the form that we store, if the provider has made sure of it. (Some write `"true"`.)
    pub(crate) fn verified_email(&self) -> Option<String> {
        let is_verified = self.email_verified == Value::Bool(true) || self.email_verified == "true";
        let email = self.email.as_deref().filter(|email| is_verified && email.len() <= MAX_EMAIL)?;
        crate::rules::email("/email", email).ok()
    }
}

/// A word that holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) claims: Claims,
    /// When the person proved to the provider who they are, if it says.
    pub(super) proven_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Protocol {
    iss: String,
    aud: Value,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: String,
    auth_time: Option<f64>,
}

/// Whether one of these keys may have signed it; if not, the provider may have newer ones.
pub(super) fn is_signed(token: &str, keys: &JwkSet) -> bool {
    Jws::read(token).is_ok_and(|token| keys.candidates(token.kid(), token.algorithm()).any(|key| token.is_signed_by(key)))
}

/// Checks the word that a code was exchanged for.
pub(super) fn check(token: &str, keys: &JwkSet, asked: &Asked<'_>) -> Result<Word, Fault> {
    if !is_signed(token, keys) {
        return Err("The token is signed with none of the provider's keys.");
    }
    let token = Jws::read(token)?;
    let (protocol, claims): (Protocol, Claims) = (token.claims()?, token.claims()?);
    if protocol.iss != asked.issuer {
        return Err("The token is of another issuer.");
    }
    if !is_for_us(&protocol, asked.client_id) {
        return Err("The token is for somebody else.");
    }
    let now = asked.now.seconds();
    if whole_seconds(protocol.exp) + SKEW <= now {
        return Err("The token has expired.");
    }
    if whole_seconds(protocol.iat) > now + SKEW {
        return Err("The token is from the future.");
    }
    if protocol.nonce != asked.nonce {
        return Err("The token was not asked for here.");
    }
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT {
        return Err("The token names nobody.");
    }
    let proven_at = protocol.auth_time.map(|at| Timestamp::from_millis(whole_seconds(at).clamp(0, now) * 1000));
    Ok(Word { claims, proven_at })
}

/// We are among those whom it is for; where there are others, it was asked for by us.
fn is_for_us(protocol: &Protocol, client_id: &str) -> bool {
    let (named, is_alone) = match &protocol.aud {
        Value::String(one) => (one == client_id, true),
        Value::Array(all) => (all.iter().any(|one| one == client_id), all.len() == 1),
        _ => (false, false),
    };
    named && protocol.azp.as_deref().map_or(is_alone, |azp| azp == client_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::jose::{Algorithm, Signer};
    use kernel::Ambient;
    use proptest::prelude::*;
    use serde_json::json;

    const AT: i64 = 1_800_000_000;

    fn keys() -> (Signer, JwkSet) {
        let signer = Signer::generate(&Ambient::system(), Algorithm::Es256).unwrap();
        let keys = JwkSet::read(&json!({"keys": [signer.public()]})).unwrap();
        (signer, keys)
    }

    fn checked(signer: &Signer, keys: &JwkSet, change: impl FnOnce(&mut Value)) -> Result<Word, Fault> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "us", "sub": "42", "exp": AT + 60, "iat": AT, "nonce": "n", "auth_time": AT - 5,
            "email": "Ada@Example.com", "email_verified": true,
        });
        change(&mut claims);
        let token = signer.sign("JWT", &claims).unwrap();
        let asked = Asked { issuer: "https://id.example", client_id: "us", nonce: "n", now: Timestamp::from_millis(AT * 1000) };
        check(&token, keys, &asked)
    }

    #[test]
    fn a_good_word_says_who_it_is_and_since_when() {
        let (signer, keys) = keys();
        let word = checked(&signer, &keys, |_| ()).unwrap();
        assert_eq!((word.claims.sub.as_str(), word.claims.verified_email().as_deref()), ("42", Some("ada@example.com")));
        assert_eq!(word.proven_at, Some(Timestamp::from_millis((AT - 5) * 1000)));
        let later = checked(&signer, &keys, |claims| claims["auth_time"] = json!(AT + 9999)).unwrap();
        assert_eq!(later.proven_at, Some(Timestamp::from_millis(AT * 1000)), "nobody proves anything in the future");
        let many = checked(&signer, &keys, |claims| {
            claims["aud"] = json!(["us", "them"]);
            claims["azp"] = json!("us");
        });
        assert!(many.is_ok() && checked(&signer, &keys, |claims| claims["aud"] = json!(["us"])).is_ok());
    }

    #[test]
    fn every_rule_of_openid_connect_core_3_1_3_7() {
        let (signer, keys) = keys();
        let why = |name: &str, value: Value| checked(&signer, &keys, |claims| claims[name] = value).unwrap_err();
        assert!(why("iss", json!("https://id.example/")).contains("issuer"));
        for aud in [json!("them"), json!(["us", "them"]), json!([]), json!(7)] {
            assert!(why("aud", aud).contains("somebody else"));
        }
        assert!(why("azp", json!("them")).contains("somebody else"));
        assert!(why("exp", json!(AT - 60)).contains("expired"));
        assert!(why("iat", json!(AT + 61)).contains("future"));
        assert!(why("nonce", json!("m")).contains("asked for"));
        assert!(why("nonce", json!(null)).contains("claims"));
        for sub in [json!(""), json!("x".repeat(256))] {
            assert!(why("sub", sub).contains("nobody"));
        }
        let (other, _) = self::keys();
        assert!(checked(&other, &keys, |_| ()).unwrap_err().contains("none of the provider's keys"));
    }

    #[test]
    fn an_address_counts_only_if_the_provider_made_sure_of_it() {
        let (signer, keys) = keys();
        let email =
            |verified: Value| checked(&signer, &keys, |claims| claims["email_verified"] = verified).unwrap().claims.verified_email();
        assert!(email(json!(true)).is_some() && email(json!("true")).is_some());
        for no in [json!(false), json!(null), json!("false"), json!(1), json!("yes")] {
            assert_eq!(email(no), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused(text in ".{0,200}") {
            let (_, keys) = keys();
            let asked = Asked { issuer: "i", client_id: "c", nonce: "n", now: Timestamp::from_millis(0) };
            prop_assert!(check(&text, &keys, &asked).is_err());
        }
    }
}
