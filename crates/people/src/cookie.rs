//! The session's cookie. With `https` its name begins with `__Host-` (RFC 6265bis): the browser takes it from this host only, for all
//! paths, over TLS. `Lax`, so that somebody who follows a link into the portal is signed in there, and no other site's form is.

use http::{HeaderMap, HeaderValue, header};
use kernel::Secret;

use crate::ceremonies::GOOD_FOR;

/// Its name under `https`.
pub const NAME_SECURE: &str = "__Host-tradewind_session";
/// Its name without TLS: on a developer's machine.
pub const NAME_PLAIN: &str = "tradewind_session";
/// The header of a call with the cookie that repeats the token against forgery ([`crate::SignedIn::csrf`]).
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The cookie of a browser that signs in by calls, not by pages: what began is ended in the same browser. Under `https` and without.
const CEREMONY_SECURE: &str = "__Host-tradewind_ceremony";
const CEREMONY_PLAIN: &str = "tradewind_ceremony";

/// Its name.
pub fn name(is_https: bool) -> &'static str {
    if is_https { NAME_SECURE } else { NAME_PLAIN }
}

/// `Set-Cookie` that tells a browser from others until its sign-in ends. `Strict`: no other site's call carries it.
pub(crate) fn set_ceremony(token: &Secret<String>, is_https: bool) -> HeaderValue {
    let (name, secure) = if is_https { (CEREMONY_SECURE, "; Secure") } else { (CEREMONY_PLAIN, "") };
    let age = GOOD_FOR.as_secs();
    let text = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", token.reveal());
    let mut value = HeaderValue::try_from(text).expect("a token is base64url");
    value.set_sensitive(true);
    value
}

/// What it tells.
pub(crate) fn ceremony(headers: &HeaderMap, is_https: bool) -> Option<&str> {
    value(headers, if is_https { CEREMONY_SECURE } else { CEREMONY_PLAIN })
}

fn value<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The token in a request's cookies. The name that only TLS can set goes first: no network in the middle can put another in its place.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    value(headers, NAME_SECURE).or_else(|| value(headers, NAME_PLAIN))
}

/// Whether the request's session has the name that only TLS can set.
pub fn is_secure(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('=')).any(|(name, _)| name == NAME_SECURE)
}

/// `Set-Cookie` for a new session. It ends with the browser's session or with ours, whichever is first.
pub fn set(token: &Secret<String>, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", name(is_https), token.reveal());
    let mut value = HeaderValue::try_from(text).expect("a token is base64url");
    value.set_sensitive(true);
    value
}

/// `Set-Cookie` that takes it away.
pub fn clear(is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}", name(is_https));
    HeaderValue::try_from(text).expect("plain ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_the_secure_one_first() {
        let mut headers = HeaderMap::new();
        assert_eq!(token(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; tradewind_session=plain; c"));
        assert_eq!(token(&headers), Some("plain"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-tradewind_session=tls"));
        assert_eq!(token(&headers), Some("tls"));
    }

    #[test]
    fn flags() {
        let secret = Secret::new("abc".to_owned());
        assert_eq!(set(&secret, true), "__Host-tradewind_session=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set(&secret, false), "tradewind_session=abc; Path=/; HttpOnly; SameSite=Lax");
        assert!(format!("{:?}", set(&secret, true)).contains("Sensitive"));
        assert!(clear(true).to_str().unwrap().contains("Max-Age=0"));
    }
}
