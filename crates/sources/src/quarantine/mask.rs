//! What of a call may be kept and shown. What may be a secret is masked: a wrong password is often the right one of somewhere else, or this one
//! with a typing error.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::providers::Provider;
use crate::sources::SourceSettings;

/// In place of a value.
const MASK: &str = "***";
/// Most headers, and most characters of a value.
const MAX_HEADERS: usize = 64;
const MAX_VALUE: usize = 500;
/// Characters of a signature that are shown, so that two can be told apart.
const SHOWN: usize = 12;

/// Headers whose values are no secrets, and are needed to read the call.
const PLAIN: &[&str] = &[
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "i-twilio-idempotency-token",
    "idempotency-key",
    "svix-id",
    "svix-timestamp",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "x-event-type",
    "x-github-delivery",
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
    "x-hubspot-request-timestamp",
    "x-hubspot-signature-version",
    "x-razorpay-event-id",
    "x-request-id",
    "x-shopify-api-version",
    "x-shopify-event-id",
    "x-shopify-shop-domain",
    "x-shopify-test",
    "x-shopify-topic",
    "x-shopify-triggered-at",
    "x-shopify-webhook-id",
    "x-slack-request-timestamp",
    "x-slack-retry-num",
    "x-slack-retry-reason",
    "x-twilio-email-event-webhook-timestamp",
];
/// Headers that carry a signature: a part of it is shown.
const SIGNATURES: &[&str] = &[
    "stripe-signature",
    "svix-signature",
    "webhook-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-hubspot-signature",
    "x-hubspot-signature-v3",
    "x-razorpay-signature",
    "x-shopify-hmac-sha256",
    "x-signature",
    "x-slack-signature",
    "x-twilio-email-event-webhook-signature",
    "x-twilio-signature",
    "x-webhook-signature",
];
/// Query parameters that are shown.
const PLAIN_PARAMETERS: &[&str] = &["bodySHA256"];

/// Whether a header's value may be shown as it is: a known harmless one, or one that the settings name for its type, id or time.
fn is_plain(name: &str, settings: &SourceSettings) -> bool {
    let named = [&settings.type_header, &settings.id_header, &settings.timestamp_header];
    let is_proof =
        settings.header.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)) || name == "authorization" || name == "cookie";
    !is_proof && (PLAIN.contains(&name) || named.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name)))
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn text(value: &HeaderValue) -> String {
    value.to_str().map_or_else(|_| "(not text)".to_owned(), |text| cut(text, MAX_VALUE))
}

/// All headers, what may be secret masked.
pub(crate) fn headers(headers: &HeaderMap, settings: &SourceSettings) -> Value {
    let shown = |(name, value): (&HeaderName, &HeaderValue)| {
        let name = name.as_str();
        let value = match () {
            () if is_plain(name, settings) => text(value),
            () if SIGNATURES.contains(&name) && settings.header.is_none() => cut(&text(value), SHOWN),
            () => MASK.to_owned(),
        };
        (name.to_owned(), Value::String(value))
    };
    Value::Object(headers.iter().take(MAX_HEADERS).map(shown).collect::<Map<_, _>>())
}

/// Only the harmless headers.
pub(crate) fn shown_only(headers: &HeaderMap, settings: &SourceSettings) -> Value {
    let plain = headers.iter().filter(|(name, _)| is_plain(name.as_str(), settings));
    Value::Object(
        plain.take(MAX_HEADERS).map(|(name, value)| (name.as_str().to_owned(), Value::String(text(value)))).collect::<Map<_, _>>(),
    )
}

/// A query with its values masked: addresses of webhooks often carry a token.
pub(crate) fn query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if !PLAIN_PARAMETERS.contains(&name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    };
    cut(&query.split('&').map(pair).collect::<Vec<_>>().join("&"), MAX_VALUE)
}

/// A body that Zoho sent, without the token that is the secret.
pub(crate) fn without_token(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.shift_remove("token");
    }
    body
}

/// What is kept of a body.
pub(crate) fn body(provider: Provider, body: &[u8]) -> Vec<u8> {
    match (provider, serde_json::from_slice::<Value>(body)) {
        (Provider::Zoho, Ok(value)) => without_token(value).to_string().into_bytes(),
        // Not JSON, so where the token would be cannot be told.
        (Provider::Zoho, Err(_)) => Vec::new(),
        _ => body.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{body, headers, query, shown_only};
    use crate::providers::Provider;
    use crate::sources::SourceSettings;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_may_be_secret_is_masked() {
        let given = map(&[
            ("content-type", "application/json"),
            ("x-github-event", "push"),
            ("x-hub-signature-256", "sha256=0123456789abcdef"),
            ("authorization", "Basic c2VjcmV0"),
            ("x-api-key", "hunter2"),
            ("x-kind", "made"),
        ]);
        let settings = SourceSettings { type_header: Some("X-Kind".into()), ..SourceSettings::default() };
        let expected = json!({"content-type": "application/json", "x-github-event": "push", "x-hub-signature-256": "sha256=01234…",
            "authorization": "***", "x-api-key": "***", "x-kind": "made"});
        assert_eq!(headers(&given, &settings), expected);
        assert_eq!(shown_only(&given, &settings), json!({"content-type": "application/json", "x-github-event": "push", "x-kind": "made"}));
        // A token that the settings put into an otherwise harmless header is a token.
        let settings = SourceSettings { header: Some("X-Request-Id".into()), ..SourceSettings::default() };
        assert_eq!(
            headers(&map(&[("x-request-id", "hunter2"), ("x-signature", "hunter2")]), &settings),
            json!({"x-request-id": "***", "x-signature": "***"})
        );
    }

    #[test]
    fn queries_and_zohos_bodies_lose_their_tokens() {
        assert_eq!(query("token=abc&bodySHA256=00&flag"), "token=***&bodySHA256=00&flag");
        assert_eq!(body(Provider::Zoho, br#"{"module":"Leads","token":"hunter2"}"#), br#"{"module":"Leads"}"#);
        assert_eq!(body(Provider::Zoho, b"token=hunter2"), b"");
        assert_eq!(body(Provider::Github, b"token"), b"token");
    }

    proptest! {
        #[test]
        fn cutting_never_panics(text in ".{0,700}") {
            let _ = query(&text);
        }
    }
}
