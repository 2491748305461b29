//! Twilio: `X-Twilio-Signature` = base64 HMAC-SHA1, keyed by the account's auth token, of the address and, for a form, every parameter's name
//! and value in the order of the names. Any other body is covered by `bodySHA256` in the signed address. There is no time in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Algorithm, Check, Meaning, Refusal, macs, text_at};
use crate::calls::Call;

pub(super) fn verify(check: &Check<'_>) -> Result<(), Refusal> {
    let given = macs::unbase64(check.header("x-twilio-signature")?).ok_or(Refusal::InvalidSignature)?;
    if !body_is_covered(check.call) {
        return Err(Refusal::InvalidSignature);
    }
    let parameters = if check.call.is_form() { parameters(&check.call.body) } else { String::new() };
    let address = check.whole_url();
    let mut expected = Vec::new();
    for address in spellings(&address) {
        for secret in check.secrets {
            expected.push(macs::mac(Algorithm::Sha1, secret.as_bytes(), &[address.as_bytes(), parameters.as_bytes()]));
        }
    }
    super::refusal::unless(macs::any_equal(&[given], &expected))
}

/// A form is signed itself; another body must have the hash that stands in the signed address.
fn body_is_covered(call: &Call) -> bool {
    let named = call.query_value("bodySHA256");
    match named.as_deref().map(macs::unhex) {
        None => call.is_form() || call.body.is_empty(),
        Some(None) => false,
        Some(Some(hash)) => macs::any_equal(&[hash], &[macs::sha256(&[&call.body])]),
    }
}

/// Names in order, each with its values in order, each value once.
fn parameters(body: &[u8]) -> String {
    let mut sorted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        sorted.entry(name.into_owned()).or_default().insert(value.into_owned());
    }
    let mut text = String::with_capacity(body.len());
    for (name, values) in &sorted {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

/// With and without the scheme's own port: Twilio writes sometimes one, sometimes the other.
fn spellings(address: &str) -> Vec<String> {
    let mut out = vec![address.to_owned()];
    let Some((scheme, rest)) = address.split_once("://") else { return out };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(end);
    match host.strip_suffix(port) {
        Some(bare) => out.push(format!("{scheme}://{bare}{tail}")),
        None if !host.rsplit(']').next().unwrap_or(host).contains(':') => out.push(format!("{scheme}://{host}{port}{tail}")),
        None => {}
    }
    out
}

pub(super) fn meaning(call: &Call, value: &Value) -> Meaning {
    let with = |kind: &str, name: &str| text_at(value, &[name]).map(|status| format!("{kind}.{status}"));
    let event_type = with("message", "MessageStatus")
        .or_else(|| with("message", "SmsStatus"))
        .or_else(|| with("call", "CallStatus"))
        .or_else(|| value.get("CallSid").map(|_| "call".to_owned()))
        .or_else(|| text_at(value, &["EventType"]))
        .or_else(|| text_at(value, &["type"]));
    Meaning { event_type, id: call.header("i-twilio-idempotency-token").map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::{parameters, spellings};

    #[test]
    fn both_spellings_of_the_port() {
        for (address, other) in [
            ("https://a.example/x?y=1", Some("https://a.example:443/x?y=1")),
            ("https://a.example:443/x", Some("https://a.example/x")),
            ("http://a.example:80", Some("http://a.example")),
            ("http://[::1]/x", Some("http://[::1]:80/x")),
            ("https://a.example:8443/x", None),
        ] {
            assert_eq!(spellings(address).get(1).map(String::as_str), other, "{address}");
        }
    }

    #[test]
    fn parameters_are_sorted_and_unescaped() {
        assert_eq!(parameters(b"b=2&a=x+y&b=1&b=2&c="), "ax yb1b2c");
    }
}
