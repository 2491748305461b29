//! Webhooks of the vendor's: proof first, on the raw bytes, then what they say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::form::{Encoding, Proof, Signed, Webhook};
use super::model::Model;
use super::record::{id, read_time, scalar};
use crate::{Hint, HintKind, InboundCall, Verified};

/// How far a signed time may be away, where the manifest says nothing.
const TOLERANCE: i64 = 300;
/// Most hints of one call.
const MOST: usize = 1000;

pub(super) fn read(webhook: &Webhook, model: &Model, call: InboundCall<'_>) -> Option<Verified> {
    if !call.secrets.iter().any(|secret| proven(webhook, &call, secret.reveal().as_bytes())) {
        return None;
    }
    let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
    let events = match body.pointer(&webhook.events) {
        Some(Value::Array(events)) => events.iter().collect(),
        Some(event @ Value::Object(_)) => vec![event],
        _ => Vec::new(),
    };
    Some(Verified { hints: events.into_iter().take(MOST).filter_map(|event| hint(webhook, model, event)).collect(), answer: None })
}

fn hint(webhook: &Webhook, model: &Model, event: &Value) -> Option<Hint> {
    let named = scalar(event.pointer(&webhook.object)?)?;
    let object = webhook.objects.get(&named).cloned().unwrap_or(named);
    model.object(&object)?;
    let action = webhook.action.as_ref().and_then(|pointer| scalar(event.pointer(pointer)?));
    let merged = webhook.merged_into.as_ref().and_then(|pointer| id(event.pointer(pointer)));
    let deleted = action.is_some_and(|action| webhook.deleted.contains(&action));
    let kind = match merged {
        Some(into) => HintKind::Merged(into),
        None if deleted => HintKind::Deleted,
        None => HintKind::Changed,
    };
    Some(Hint {
        account: webhook.account.as_ref().and_then(|pointer| id(event.pointer(pointer))),
        object,
        id: id(event.pointer(&webhook.id))?,
        kind,
        at: webhook.at.as_ref().and_then(|pointer| read_time(webhook.time, event.pointer(pointer)?)),
    })
}

fn proven(webhook: &Webhook, call: &InboundCall<'_>, secret: &[u8]) -> bool {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    if secret.is_empty() {
        return false;
    }
    match webhook.proof {
        Proof::Basic => header("authorization").is_some_and(|text| basic(text, secret)),
        Proof::Token => {
            let shown = webhook.header.as_deref().and_then(header).and_then(|text| text.strip_prefix(&webhook.prefix));
            shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(secret)))
        }
        Proof::HmacSha256 => {
            let Some(shown) = webhook.header.as_deref().and_then(header).and_then(|text| text.trim().strip_prefix(&webhook.prefix)) else {
                return false;
            };
            let shown = match webhook.encoding {
                Encoding::Hex => unhex(shown),
                Encoding::Base64 => STANDARD.decode(shown).ok(),
            };
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
            if webhook.signed == Signed::TimestampDotBody {
                let Some(time) = webhook.timestamp_header.as_deref().and_then(header) else { return false };
                if !is_recent(webhook, call, time) {
                    return false;
                }
                mac.update(time.as_bytes());
                mac.update(b".");
            }
            mac.update(call.body);
            shown.is_some_and(|shown| mac.verify_slice(&shown).is_ok())
        }
    }
}

fn is_recent(webhook: &Webhook, call: &InboundCall<'_>, time: &str) -> bool {
    let Some(at) = read_time(webhook.time, &Value::String(time.to_owned())) else { return false };
    let tolerance = webhook.tolerance_seconds.map_or(TOLERANCE, i64::from);
    (call.now.millis() - at.millis()).abs() <= tolerance * 1000
}

/// RFC 7617: the secret is the password, whatever the name.
pub(crate) fn basic(header: &str, secret: &[u8]) -> bool {
    let Some((scheme, encoded)) = header.split_once(' ') else { return false };
    let decoded = STANDARD.decode(encoded.trim()).unwrap_or_default();
    let password = decoded.iter().position(|byte| *byte == b':').map(|at| &decoded[at + 1..]);
    scheme.eq_ignore_ascii_case("basic") && password.is_some_and(|password| bool::from(password.ct_eq(secret)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
