//! HubSpot's third signature: base64 of HMAC-SHA256, keyed by the app's secret, over method, address, body and the time in milliseconds. In the
//! address some escapes are undone first. What is older than five minutes is refused, so that nobody sends it again later.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::InboundCall;

/// How far the time of signing may be from now.
const TOLERANCE: Duration = Duration::from_mins(5);
/// The characters whose escapes HubSpot undoes before it signs.
const UNDONE: &[u8] = b":/?@!$'()*,;";

/// Whether one of the secrets signed this call, now. Every secret is tried, in a time that does not depend on which one fits.
pub(super) fn is_genuine(call: &InboundCall<'_>) -> bool {
    let header = |name: &str| call.headers.get(name)?.to_str().ok();
    let (Some(given), Some(signed_at)) = (header("x-hubspot-signature-v3"), header("x-hubspot-request-timestamp")) else { return false };
    let Ok(ms) = signed_at.parse::<i64>() else { return false };
    let at = Timestamp::from_millis(ms);
    if call.now.since(at).max(at.since(call.now)) > TOLERANCE {
        return false;
    }
    let Ok(given) = STANDARD.decode(given.trim()) else { return false };
    let address = undone(call.url);
    let mut is_good = Choice::from(0);
    for secret in call.secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
        for part in [call.method.as_str().as_bytes(), address.as_bytes(), call.body, signed_at.as_bytes()] {
            mac.update(part);
        }
        is_good |= mac.finalize().into_bytes().as_slice().ct_eq(&given);
    }
    is_good.into()
}

/// The address with HubSpot's list of escapes undone; all others stay.
fn undone(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape.filter(|byte| UNDONE.contains(byte)) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};
    use kernel::Secret;
    use proptest::prelude::*;

    use super::*;

    /// Made by HubSpot's own client for Python.
    const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    const URL: &str = "https://www.example.com/webhook_uri";
    const BODY: &[u8] = br#"[{"eventId":1,"subscriptionType":"contact.creation","objectId":123}]"#;
    const AT: i64 = 1_700_000_000_000;
    const SIGNATURE: &str = "H1KDzakCq0/FSbMWQe1ptlaTbDQoJVVbbfRFaTnSpfQ=";

    fn verdict(secrets: &[&str], url: &str, body: &[u8], signature: &str, now: i64) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("x-hubspot-signature-v3", HeaderValue::from_str(signature).unwrap());
        headers.insert("x-hubspot-request-timestamp", HeaderValue::from(AT));
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        let now = Timestamp::from_millis(now);
        is_genuine(&InboundCall { method: &Method::POST, url, headers: &headers, body, now, secrets: &secrets })
    }

    #[test]
    fn the_official_vector_is_genuine_under_either_of_two_secrets() {
        assert!(verdict(&[SECRET], URL, BODY, SIGNATURE, AT));
        assert!(verdict(&["new", SECRET], URL, BODY, SIGNATURE, AT) && verdict(&[SECRET, "old"], URL, BODY, SIGNATURE, AT));
        assert!(!verdict(&[], URL, BODY, SIGNATURE, AT) && !verdict(&["other"], URL, BODY, SIGNATURE, AT));
        assert!(!verdict(&[SECRET], "https://www.example.com/webhook_url", BODY, SIGNATURE, AT));
        assert!(!verdict(&[SECRET], URL, &BODY[1..], SIGNATURE, AT));
        for bad in ["", "x", "H1KDzakCq0/FSbMWQe1ptlaTbDQoJVVbbfRFaTnSpfA=", "H1KDzakCq0/FSbMWQe1ptg=="] {
            assert!(!verdict(&[SECRET], URL, BODY, bad, AT), "{bad}");
        }
    }

    #[test]
    fn five_minutes_of_skew_are_borne_either_way() {
        for skew in [-300_000, 300_000] {
            assert!(verdict(&[SECRET], URL, BODY, SIGNATURE, AT + skew), "{skew}");
        }
        for skew in [-300_001, 300_001] {
            assert!(!verdict(&[SECRET], URL, BODY, SIGNATURE, AT + skew), "{skew}");
        }
    }

    #[test]
    fn some_escapes_are_undone_once() {
        assert_eq!(undone("https://a.b/%3Fx%2fy?q=%20%253A%3A%&%4"), "https://a.b/?x/y?q=%20%253A:%&%4");
        assert_eq!(undone("/%é%3"), "/%é%3");
    }

    proptest! {
        #[test]
        fn any_address_is_read(url in "[%0-9A-Fa-fé/?&=]{0,60}") {
            let plain = undone(&url);
            prop_assert!(plain.len() <= url.len());
        }
    }
}
