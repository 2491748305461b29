//! The vendors' side: signing as each documents it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bed::Call;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(algorithm: hmac::Algorithm, key: &str, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), message).as_ref().to_vec()
}

pub(crate) fn sha256(key: &str, message: &[u8]) -> Vec<u8> {
    tag(hmac::HMAC_SHA256, key, message)
}

pub(crate) fn github(secret: &str, event: &str, delivery: &str, body: &str) -> Call {
    let signature = format!("sha256={}", hex(&sha256(secret, body.as_bytes())));
    let headers = [("x-github-event", event), ("x-github-delivery", delivery), ("x-hub-signature-256", signature.as_str())];
    Call::new(body, &headers).with("content-type", "application/json").with("user-agent", "GitHub-Hookshot/abc")
}

pub(crate) fn slack(secret: &str, at: i64, content_type: &str, body: &str) -> Call {
    let signature = format!("v0={}", hex(&sha256(secret, format!("v0:{at}:{body}").as_bytes())));
    Call::new(body, &[("x-slack-signature", &signature), ("x-slack-request-timestamp", &at.to_string()), ("content-type", content_type)])
}

pub(crate) fn hubspot(secret: &str, url: &str, at_ms: i64, body: &str) -> Call {
    let signature = STANDARD.encode(sha256(secret, format!("POST{url}{body}{at_ms}").as_bytes()));
    let headers = [("x-hubspot-signature-v3", signature.as_str()), ("x-hubspot-request-timestamp", &at_ms.to_string())];
    Call::new(body, &headers).with("content-type", "application/json")
}

/// `covered`: the address, and for a form its parameters in order.
pub(crate) fn twilio(token: &str, covered: &str) -> String {
    STANDARD.encode(tag(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token, covered.as_bytes()))
}

pub(crate) fn generic(secret: &str, body: &str) -> Call {
    Call::new(body, &[("x-signature", &hex(&sha256(secret, body.as_bytes())))])
}

pub(crate) fn stripe(secret: &str, at: i64, body: &str) -> Call {
    let signature = format!("t={at},v1={}", hex(&sha256(secret, format!("{at}.{body}").as_bytes())));
    Call::new(body, &[("stripe-signature", &signature), ("content-type", "application/json; charset=utf-8")])
}
