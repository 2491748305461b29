//! `id_token`: signed for the application that asked for `openid` (OpenID Connect Core §2).

use access::jose::{Algorithm, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Result, Timestamp, UserId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::grants::SignIn;

/// How long one is good in seconds: it says who signed in, and is looked at once.
const LIFETIME: i64 = 3600;

/// What one says.
pub(crate) struct IdToken<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) user: UserId,
    pub(crate) sign_in: &'a SignIn,
    pub(crate) access_token: &'a str,
    pub(crate) now: Timestamp,
}

/// Signs one. Error: internal.
pub(crate) fn id_token(signer: &Signer, token: &IdToken<'_>) -> Result<String> {
    let now = token.now.seconds();
    let mut claims = json!({
        "iss": token.issuer,
        "sub": token.user,
        "aud": token.client,
        "azp": token.client,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": token.sign_in.at.seconds(),
        "at_hash": half_hash(signer.algorithm(), token.access_token),
    });
    if !token.sign_in.methods.is_empty() {
        claims["amr"] = json!(token.sign_in.methods);
    }
    if let Some(nonce) = &token.sign_in.nonce {
        claims["nonce"] = Value::from(nonce.as_str());
    }
    signer.sign("JWT", &claims)
}

/// The left half of the hash that goes with the algorithm (Core §3.1.3.6); with Ed25519 that is SHA-512.
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let bytes = token.as_bytes();
    if algorithm == Algorithm::EdDsa {
        URL_SAFE_NO_PAD.encode(&Sha512::digest(bytes)[..32])
    } else {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use access::jose::{Jwk, Jws};
    use kernel::Ambient;

    #[test]
    fn it_says_who_signed_in_when_and_for_whom() {
        let ambient = Ambient::system();
        let signer = Signer::generate(&ambient, Algorithm::Es256).unwrap();
        let user: UserId = ambient.id();
        let with = |nonce: Option<&str>| {
            let methods = vec!["pwd".into(), "otp".into()];
            let sign_in = SignIn { at: Timestamp::from_millis(5_000), methods, nonce: nonce.map(str::to_owned) };
            let now = Timestamp::from_millis(9_000);
            let token = IdToken { issuer: "https://x", client: "cli_1", user, sign_in: &sign_in, access_token: "abc", now };
            let text = id_token(&signer, &token).unwrap();
            let read = Jws::read(&text).unwrap();
            assert!(read.is_signed_by(&Jwk::read(&signer.public()).unwrap()));
            read.claims::<Value>().unwrap()
        };
        let claims = with(Some("n"));
        assert_eq!((&claims["iss"], &claims["aud"], &claims["sub"]), (&json!("https://x"), &json!("cli_1"), &json!(user)));
        assert_eq!((&claims["iat"], &claims["exp"], &claims["auth_time"]), (&json!(9), &json!(3609), &json!(5)));
        assert_eq!((&claims["nonce"], &claims["amr"]), (&json!("n"), &json!(["pwd", "otp"])));
        // The first 16 bytes of ba7816bf 8f01cfea 414140de 5dae2223 …
        assert_eq!(claims["at_hash"], "ungWv48Bz-pBQUDeXa4iIw");
        assert!(with(None).get("nonce").is_none());
    }
}
