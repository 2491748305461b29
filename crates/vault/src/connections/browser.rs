//! The cookie that binds a callback to the browser that began.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use kernel::{Ambient, Secret};
use subtle::ConstantTimeEq as _;

const NAME_SECURE: &str = "__Host-tradewind_connect";
const NAME_PLAIN: &str = "tradewind_connect";
/// 32 bytes as base64url.
const LENGTH: usize = 43;

fn name(is_https: bool) -> &'static str {
    if is_https { NAME_SECURE } else { NAME_PLAIN }
}

fn in_cookies(headers: &HeaderMap, is_https: bool) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name(is_https)).map(|(_, value)| value).filter(|value| value.len() == LENGTH)
}

/// The browser's mark: the one that it has, or a new one. Several connections of one browser share it.
pub(crate) fn mark(headers: &HeaderMap, is_https: bool, ambient: &Ambient) -> Secret<String> {
    let fits = |text: &&str| URL_SAFE_NO_PAD.decode(text).is_ok();
    match in_cookies(headers, is_https).filter(fits) {
        Some(known) => Secret::new(known.to_owned()),
        None => Secret::new(URL_SAFE_NO_PAD.encode(ambient.bytes::<32>())),
    }
}

/// What is stored of it.
pub(crate) fn hash(mark: &Secret<String>) -> Vec<u8> {
    blake3::hash(mark.reveal().as_bytes()).as_bytes().to_vec()
}

/// Whether it is the browser that began. What no browser began is anybody's.
pub(crate) fn is_same(headers: &HeaderMap, is_https: bool, expected: Option<&[u8]>) -> bool {
    let Some(expected) = expected else { return true };
    in_cookies(headers, is_https).is_some_and(|mark| blake3::hash(mark.as_bytes()).as_bytes().as_slice().ct_eq(expected).into())
}

/// `Set-Cookie`, for as long as a connection may take. `Lax`: the vendor sends the browser back by a link.
pub(crate) fn cookie(mark: &Secret<String>, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600{secure}", name(is_https), mark.reveal());
    let mut value = HeaderValue::try_from(text).expect("a mark is base64url");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_browser_that_has_the_mark_is_the_same() {
        let (ambient, mut headers) = (Ambient::system(), HeaderMap::new());
        let ours = mark(&headers, false, &ambient);
        assert!(is_same(&headers, false, None) && !is_same(&headers, false, Some(&hash(&ours))));
        let set = cookie(&ours, false);
        assert!(set.is_sensitive());
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        headers.insert(header::COOKIE, format!("a=b; {pair}").parse().unwrap());
        assert!(is_same(&headers, false, Some(&hash(&ours))));
        assert_eq!(mark(&headers, false, &ambient).reveal(), ours.reveal());
        assert!(!is_same(&headers, true, Some(&hash(&ours))), "over TLS only the name that TLS can set counts");
        assert!(
            cookie(&ours, true).to_str().unwrap().starts_with("__Host-tradewind_connect=")
                && cookie(&ours, true).to_str().unwrap().ends_with("; Secure")
        );
        headers.insert(header::COOKIE, "tradewind_connect=%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%".parse().unwrap());
        assert_ne!(mark(&headers, false, &ambient).reveal().as_bytes()[0], b'%');
    }
}
