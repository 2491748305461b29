//! One proof: RFC 9449 §4.3, point by point.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{Nonces, Refusal, Request};
use crate::jose::{Jwk, Jws};

/// Longest proof in bytes: an RSA key of 4096 bits fits.
const MAX_PROOF: usize = 4096;
/// Longest `jti`.
const MAX_JTI: usize = 256;
/// How old a proof without a nonce may be in seconds, the difference of the clocks included.
const MAX_AGE: i64 = 90;
/// How far ahead of ours the client's clock may be in seconds.
const MAX_AHEAD: i64 = 30;
/// How far off the client's clock may be in seconds where a nonce says when the proof was made.
const MAX_OFF: i64 = 900;

/// A proof that holds, except that it may have been used before: ask [`super::Replays`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key that the client holds.
    pub jkt: String,
    /// What tells this proof from all others of the key.
    pub jti: String,
    /// Whether it has a nonce of ours that is not the newest: the answer carries the newest then.
    pub is_nonce_old: bool,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: serde_json::Number,
    ath: Option<String>,
    nonce: Option<String>,
}

/// What a proof says of an access token: the base64url of its SHA-256.
pub fn access_token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Checks a proof against the request that it came with.
pub fn check(proof: &str, request: &Request<'_>, nonces: &Nonces) -> Result<Proof, Refusal> {
    if proof.len() > MAX_PROOF {
        return Err(Refusal::Invalid("The proof is too long."));
    }
    let token = Jws::read(proof).map_err(Refusal::Invalid)?;
    if !token.is_typed("dpop+jwt") {
        return Err(Refusal::Invalid("The proof's typ is not dpop+jwt."));
    }
    let key = token.jwk().ok_or(Refusal::Invalid("The proof's header has no jwk."))?;
    let key = Jwk::read(key).map_err(Refusal::Invalid)?;
    if !token.is_signed_by(&key) {
        return Err(Refusal::Invalid("The proof's signature does not fit its key."));
    }
    let claims: Claims = token.claims().map_err(Refusal::Invalid)?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(Refusal::Invalid("The proof's jti has from 1 to 256 characters."));
    }
    if claims.htm != request.method {
        return Err(Refusal::Invalid("The proof's htm is not the method of this request."));
    }
    if !is_for(&claims.htu, request.url) {
        return Err(Refusal::Invalid("The proof's htu is not the address of this request, without query and fragment."));
    }
    check_token(request.access_token, claims.ath.as_deref())?;
    let is_nonce_old = check_time(&claims, request, nonces)?;
    Ok(Proof { jkt: key.thumbprint(), jti: claims.jti, is_nonce_old })
}

fn check_token(token: Option<&str>, hash: Option<&str>) -> Result<(), Refusal> {
    let Some(token) = token else { return Ok(()) };
    let fits = hash.is_some_and(|hash| bool::from(hash.as_bytes().ct_eq(access_token_hash(token).as_bytes())));
    if fits { Ok(()) } else { Err(Refusal::Invalid("The proof's ath is not the hash of the access token.")) }
}

fn check_time(claims: &Claims, request: &Request<'_>, nonces: &Nonces) -> Result<bool, Refusal> {
    #[allow(clippy::cast_possible_truncation, reason = "a time with a fraction counts as the second that it is in; out of range saturates")]
    let whole = |number: &serde_json::Number| number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64));
    let at = whole(&claims.iat).ok_or(Refusal::Invalid("The proof's iat is no time."))?;
    let age = request.now.seconds().saturating_sub(at);
    match claims.nonce.as_deref().map(|nonce| nonces.known(nonce, request.now)) {
        // RFC 9449 §8: one that is not ours, or was, is answered with a new one.
        Some(None) => Err(Refusal::UseNonce),
        Some(Some(_)) if age.abs() > MAX_OFF => Err(Refusal::Invalid("The proof's iat is too far from the present.")),
        Some(Some(is_newest)) => Ok(!is_newest),
        None if request.needs_nonce || !(-MAX_AHEAD..=MAX_AGE).contains(&age) => Err(Refusal::UseNonce),
        None => Ok(false),
    }
}

/// Whether `htu` names `url`. Both are compared as URLs are (RFC 3986 §6.2.2, §6.2.3): upper and lower case of scheme and host, a default
/// port and dots in the path do not matter.
fn is_for(htu: &str, url: &Url) -> bool {
    let Ok(htu) = Url::parse(htu) else { return false };
    htu.origin() == url.origin() && htu.path() == url.path() && htu.username().is_empty() && htu.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithm, Signer};
    use kernel::{Ambient, Timestamp};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const AT: i64 = 1_800_000_000;
    const URL: &str = "https://api.example/oauth/token";

    struct Bench {
        signer: Signer,
        nonces: Nonces,
        url: Url,
    }

    fn bench() -> Bench {
        let signer = Signer::generate(&Ambient::system(), Algorithm::Es256).unwrap();
        Bench { signer, nonces: Nonces::of(&[7; 32]), url: Url::parse(URL).unwrap() }
    }

    impl Bench {
        fn signed(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
            let mut public = self.signer.public();
            public.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
            let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": public});
            let mut claims = json!({"jti": "one", "htm": "POST", "htu": URL, "iat": AT});
            change(&mut header, &mut claims);
            self.signer.sign_under(&header, &claims)
        }

        fn request(&self) -> Request<'_> {
            Request { method: "POST", url: &self.url, now: Timestamp::from_millis(AT * 1000), access_token: None, needs_nonce: false }
        }

        fn checked(&self, change: impl FnOnce(&mut Value, &mut Value)) -> Result<Proof, Refusal> {
            check(&self.signed(change), &self.request(), &self.nonces)
        }
    }

    fn why(outcome: &Result<Proof, Refusal>) -> &'static str {
        match outcome {
            Err(Refusal::Invalid(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_good_proof_names_its_key() {
        let bench = bench();
        let proof = bench.checked(|_, _| ()).unwrap();
        assert_eq!((proof.jkt.as_str(), proof.jti.as_str(), proof.is_nonce_old), (bench.signer.kid(), "one", false));
        for same in ["HTTPS://API.example:443/oauth/token", "https://api.example/oauth/./token", "https://api.example/oauth/token?a=b#c"] {
            assert!(bench.checked(|_, claims| claims["htu"] = json!(same)).is_ok(), "{same}");
        }
        assert!(bench.checked(|_, claims| claims["iat"] = json!(1_800_000_000.25)).is_ok());
    }

    #[test]
    fn section_4_3_point_by_point() {
        let bench = bench();
        assert!(why(&bench.checked(|header, _| header["typ"] = json!("JWT"))).contains("typ"));
        assert!(why(&bench.checked(|header, _| header["alg"] = json!("none"))).contains("alg"));
        assert!(why(&bench.checked(|header, _| header["alg"] = json!("HS256"))).contains("alg"));
        assert!(why(&bench.checked(|header, _| header["jwk"]["d"] = json!("AAAA"))).contains("private"));
        assert!(why(&bench.checked(|header, _| drop(header.as_object_mut().unwrap().remove("jwk")))).contains("jwk"));
        let other = Signer::generate(&Ambient::system(), Algorithm::Es256).unwrap();
        assert!(why(&bench.checked(|header, _| header["jwk"]["x"] = other.public()["x"].clone())).contains("signature"));
        assert!(why(&bench.checked(|_, claims| claims["htm"] = json!("GET"))).contains("htm"));
        assert!(why(&bench.checked(|_, claims| claims["htm"] = json!("post"))).contains("htm"));
        for elsewhere in [
            "https://api.example/oauth/revoke",
            "https://evil.example/oauth/token",
            "http://api.example/oauth/token",
            "/oauth/token",
            "https://api.example:8443/oauth/token",
            "https://a@api.example/oauth/token",
        ] {
            assert!(why(&bench.checked(|_, claims| claims["htu"] = json!(elsewhere))).contains("htu"), "{elsewhere}");
        }
        for name in ["jti", "htm", "htu", "iat"] {
            assert!(why(&bench.checked(|_, claims| drop(claims.as_object_mut().unwrap().remove(name)))).contains("claims"), "{name}");
        }
        assert!(why(&bench.checked(|_, claims| claims["jti"] = json!(""))).contains("jti"));
        assert!(why(&bench.checked(|_, claims| claims["jti"] = json!("x".repeat(257)))).contains("jti"));
    }

    #[test]
    fn an_access_token_is_named_by_its_hash() {
        let bench = bench();
        let with = |ath: Option<String>| {
            let proof = bench.signed(|_, claims| claims["ath"] = json!(ath));
            check(&proof, &Request { access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"), ..bench.request() }, &bench.nonces)
        };
        // RFC 9449 §7.1's example.
        assert!(with(Some("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo".to_owned())).is_ok());
        assert!(why(&with(None)).contains("ath"));
        assert!(why(&with(Some(access_token_hash("another")))).contains("ath"));
    }

    #[test]
    fn time_is_the_clients_or_the_nonces() {
        let bench = bench();
        let at = |iat: i64| bench.checked(|_, claims| claims["iat"] = json!(iat));
        for fresh in [AT, AT - 90, AT + 30] {
            assert!(at(fresh).is_ok(), "{fresh}");
        }
        for stale in [AT - 91, AT + 31, i64::MIN, i64::MAX] {
            assert_eq!(at(stale), Err(Refusal::UseNonce), "{stale}");
        }
        let now = Timestamp::from_millis(AT * 1000);
        let nonce = bench.nonces.newest(now);
        let with = |iat: i64, nonce: &str| {
            bench.checked(|_, claims| {
                claims["iat"] = json!(iat);
                claims["nonce"] = json!(nonce);
            })
        };
        assert!(with(AT - 900, &nonce).is_ok() && with(AT + 900, &nonce).is_ok(), "a clock that is wrong");
        assert!(why(&with(AT - 901, &nonce)).contains("iat"));
        assert_eq!(with(AT, "made up"), Err(Refusal::UseNonce));
        let needing = Request { needs_nonce: true, ..bench.request() };
        assert_eq!(check(&bench.signed(|_, _| ()), &needing, &bench.nonces), Err(Refusal::UseNonce));
        assert!(check(&bench.signed(|_, claims| claims["nonce"] = json!(nonce)), &needing, &bench.nonces).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_refused(text in ".{0,300}") {
            let bench = bench();
            prop_assert!(check(&text, &bench.request(), &bench.nonces).is_err());
            prop_assert!(bench.checked(|_, claims| claims["htu"] = json!(text)).is_err());
        }
    }
}
