//! What an assertion of a client must say: RFC 7523 §3, OpenID Connect Core §9. Pure.

use access::jose::{Fault, JwkSet, Jws, whole_seconds};
use kernel::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// How far the client's clock may be from ours in seconds.
const SKEW: i64 = 60;
/// How long an assertion may be good in seconds: one that lives long is a password.
const MAX_LIFE: i64 = 3600;
/// Longest `jti`.
const MAX_JTI: usize = 256;

/// An assertion that holds, except that it may have been used before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asserted {
    /// What tells it from the client's others.
    pub(crate) jti: String,
    /// Until when it must be remembered.
    pub(crate) until: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

/// The client that an assertion says that it is of. Not believed: it only tells whose keys to try.
pub(crate) fn subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Sub {
        sub: String,
    }
    Jws::read(assertion).ok()?.claims::<Sub>().ok().map(|claims| claims.sub)
}

/// Checks an assertion of `client` against its keys. `audiences`: what we are called, the issuer or an endpoint.
pub(crate) fn check(assertion: &str, keys: &JwkSet, client: &str, audiences: &[&str], now: Timestamp) -> Result<Asserted, Fault> {
    let token = Jws::read(assertion)?;
    if !token.is_typed("") && !token.is_typed("jwt") && !token.is_typed("client-authentication+jwt") {
        return Err("The assertion's typ is not that of an assertion.");
    }
    if !keys.candidates(token.kid(), token.algorithm()).any(|key| token.is_signed_by(key)) {
        return Err("The assertion is signed with none of the client's keys.");
    }
    let claims: Claims = token.claims()?;
    if claims.iss != client || claims.sub != client {
        return Err("The assertion's iss and sub must be the client_id.");
    }
    if !is_for_us(&claims.aud, audiences) {
        return Err("The assertion's aud must be this server's issuer or the address of this endpoint, and nothing else.");
    }
    let now_s = now.seconds();
    let exp = whole_seconds(claims.exp);
    if exp.saturating_add(SKEW) <= now_s {
        return Err("The assertion has expired.");
    }
    if exp > now_s + MAX_LIFE + SKEW {
        return Err("The assertion is good for too long: an hour at most.");
    }
    if [claims.nbf, claims.iat].into_iter().flatten().any(|at| whole_seconds(at) > now_s + SKEW) {
        return Err("The assertion is from the future.");
    }
    let jti =
        claims.jti.filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI).ok_or("The assertion needs a jti of at most 256 characters.")?;
    Ok(Asserted { jti, until: Timestamp::from_millis((exp + SKEW) * 1000) })
}

/// One audience, alone or as a list of one: an assertion that is good elsewhere too could be sent on by whoever gets it there.
fn is_for_us(aud: &Value, audiences: &[&str]) -> bool {
    let named = match aud {
        Value::Array(list) if list.len() == 1 => list[0].as_str(),
        other => other.as_str(),
    };
    named.is_some_and(|named| audiences.contains(&named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::jose::{Algorithm, Signer};
    use kernel::Ambient;
    use proptest::prelude::*;
    use serde_json::json;

    const AT: i64 = 1_800_000_000;
    const CLIENT: &str = "cli_01";
    const ISSUER: &str = "https://api.example";
    const ENDPOINT: &str = "https://api.example/oauth/token";

    fn checked(signer: &Signer, keys: &JwkSet, change: impl FnOnce(&mut Value)) -> Result<Asserted, Fault> {
        let mut claims = json!({"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": AT + 60, "iat": AT, "jti": "one"});
        change(&mut claims);
        let token = signer.sign("JWT", &claims).unwrap();
        check(&token, keys, CLIENT, &[ISSUER, ENDPOINT], Timestamp::from_millis(AT * 1000))
    }

    fn keys() -> (Signer, JwkSet) {
        let signer = Signer::generate(&Ambient::system(), Algorithm::Es256).unwrap();
        let keys = JwkSet::read(&json!({"keys": [signer.public()]})).unwrap();
        (signer, keys)
    }

    #[test]
    fn a_good_assertion_is_remembered_until_it_ends() {
        let (signer, keys) = keys();
        let good = checked(&signer, &keys, |_| ()).unwrap();
        assert_eq!(good, Asserted { jti: "one".to_owned(), until: Timestamp::from_millis((AT + 120) * 1000) });
        for aud in [json!(ENDPOINT), json!([ISSUER])] {
            assert!(checked(&signer, &keys, |claims| claims["aud"] = aud).is_ok());
        }
        assert!(checked(&signer, &keys, |claims| claims["exp"] = json!(AT - 59)).is_ok(), "clocks differ");
        assert!(checked(&signer, &keys, |claims| claims["iat"] = json!(AT + 60)).is_ok());
    }

    #[test]
    fn every_rule_of_rfc_7523_section_3() {
        let (signer, keys) = keys();
        let why = |name: &str, value: Value| checked(&signer, &keys, |claims| claims[name] = value).unwrap_err();
        assert!(why("iss", json!("cli_02")).contains("iss"));
        assert!(why("sub", json!("cli_02")).contains("sub"));
        for aud in [json!("https://evil.example"), json!([ISSUER, "https://evil.example"]), json!([]), json!(7), json!("")] {
            assert!(why("aud", aud).contains("aud"));
        }
        assert!(why("exp", json!(AT - 60)).contains("expired"));
        assert!(why("exp", json!(AT + 3661)).contains("too long"));
        assert!(why("exp", json!(1e300)).contains("too long"));
        assert!(why("nbf", json!(AT + 61)).contains("future"));
        assert!(why("iat", json!(AT + 61)).contains("future"));
        for jti in [json!(null), json!(""), json!("x".repeat(257))] {
            assert!(why("jti", jti).contains("jti"));
        }
        assert!(why("exp", json!(null)).contains("claims"));
        let (other, _) = self::keys();
        assert!(checked(&other, &keys, |_| ()).unwrap_err().contains("none of the client's keys"));
        let proof = signer.sign("dpop+jwt", &json!({"iss": CLIENT})).unwrap();
        assert!(check(&proof, &keys, CLIENT, &[ISSUER], Timestamp::from_millis(0)).unwrap_err().contains("typ"));
        assert_eq!(subject(&signer.sign("JWT", &json!({"sub": "cli_09"})).unwrap()).as_deref(), Some("cli_09"));
    }

    proptest! {
        #[test]
        fn any_text_is_refused(text in ".{0,200}") {
            let (_, keys) = keys();
            prop_assert!(check(&text, &keys, CLIENT, &[ISSUER], Timestamp::from_millis(AT * 1000)).is_err());
            let _ = subject(&text);
        }
    }
}
